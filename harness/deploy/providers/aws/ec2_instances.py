"""EC2's machines: instances, launch templates, key pairs, volumes, interfaces, placement groups."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import roots
from harness.deploy.providers.aws.ec2_type import Ec2, alive, filters, given
from harness.deploy.providers.aws.search import Listing
from harness.deploy.providers.aws.shapes import to_request
from harness.deploy.providers.resource import Context, Properties

_BLOCK = {"volumeSize": "VolumeSize", "volumeType": "VolumeType", "deleteOnTermination": "DeleteOnTermination"}
_IN_PLACE = (
    "disableApiTermination", "disableApiStop", "sourceDestCheck", "instanceInitiatedShutdownBehavior", "ebsOptimized",
)  # fmt: skip


class Instance(Ec2):
    """One machine; it is running when it is made, and gone when it is terminated."""

    token: ClassVar = "aws:ec2/instance:Instance"
    noun: ClassVar = "Instance"
    kind: ClassVar = "instance"
    creates: ClassVar = "RunInstances"
    deletes: ClassVar = "TerminateInstances"
    defaults: ClassVar = {"sourceDestCheck": True, "getPasswordData": False, "userDataReplaceOnChange": False}
    renames: ClassVar = {
        "ami": "ImageId", "vpcSecurityGroupIds": "SecurityGroupIds", "privateIp": "PrivateIpAddress",
        "publicIp": "PublicIpAddress", "privateDns": "PrivateDnsName", "publicDns": "PublicDnsName",
        "monitoring": "", "userDataBase64": "UserData", "userData": "", "disableApiStop": "DisableApiStop",
        "rootBlockDevice": "", "ebsBlockDevices": "", "networkInterfaces": "", "iamInstanceProfile": "",
        "securityGroups": "", "placementGroup": "", "metadataOptions": "MetadataOptions", "hibernation": "",
    }  # fmt: skip
    replace_on: ClassVar = frozenset(
        {"ami", "associatePublicIpAddress", "availabilityZone", "enclaveOptions", "hibernation", "hostId",
         "ipv6AddressCount", "ipv6Addresses", "keyName", "launchTemplate.id", "placementGroup", "privateIp",
         "securityGroups", "subnetId", "tenancy", "networkInterfaces", "ephemeralBlockDevices", "cpuOptions"}
    )  # fmt: skip
    settled: ClassVar = ("State.Name", frozenset({"running"}))

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """Blocks as RunInstances takes them, user data in base64."""
        del context
        profile, devices = inputs.get("iamInstanceProfile"), list(inputs.get("ebsBlockDevices") or ())
        if inputs.get("rootBlockDevice"):
            devices.insert(0, {"deviceName": "/dev/xvda", **inputs["rootBlockDevice"]})
        data = inputs.get("userDataBase64") or (_encoded(inputs["userData"]) if inputs.get("userData") else None)
        own = "arn" if str(profile).startswith("arn:") else "name"
        zone = {"availabilityZone": inputs.get("availabilityZone"), "groupName": inputs.get("placementGroup"),
                "tenancy": inputs.get("tenancy"), "hostId": inputs.get("hostId")}  # fmt: skip
        return {
            **inputs,
            "minCount": 1,
            "maxCount": 1,
            "userDataBase64": data,
            "placement": {name: value for name, value in zone.items() if value} or None,
            "blockDeviceMappings": [
                {"deviceName": one["deviceName"], "ebs": {k: v for k, v in one.items() if k != "deviceName"}}
                for one in devices
            ]
            or None,
            **_launch_interface(inputs),
        } | ({"iamInstanceProfile": {own: profile}} if profile else {})

    def make(self, context: Context, inputs: Properties) -> str:
        """Run it; what RunInstances does not take is set afterwards."""
        shape = self.client(context).meta.service_model.operation_model(self.creates).input_shape
        profile = (
            {"IamInstanceProfile": self.arrange(context, inputs)["iamInstanceProfile"]}
            if inputs.get("iamInstanceProfile")
            else {}
        )
        tags = self.wire_tags(context, inputs)
        specified = {"TagSpecifications": [{"ResourceType": self.kind, "Tags": tags}]} if tags else {}
        request = to_request(shape, self.arrange(context, {**inputs, "tags": None}), self.renames)
        boxed = {name: {key.title(): value for key, value in body.items()} for name, body in profile.items()}
        answer = self.client(context).run_instances(**request, **specified, **boxed)
        instance = str(answer["Instances"][0]["InstanceId"])
        self.settle(context, instance, inputs)
        if inputs.get("sourceDestCheck") is False:
            self.modify(context, "ModifyInstanceAttribute", instance, {"sourceDestCheck": False})
        return instance

    def listing(self, context: Context, inputs: Properties) -> Listing:
        """AWS puts it into a subnet when none is asked for."""
        return replace(super().listing(context, inputs), links=())

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """As long as it is not terminated."""
        del inputs
        reservations = self.client(context).describe_instances(InstanceIds=[resource_id])["Reservations"]
        return alive(reservations[0]["Instances"][0]) if reservations else None

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Its place, its groups, its first interface."""
        del resource_id, inputs
        interfaces = body.get("NetworkInterfaces") or [{}]
        return {
            "instanceState": body["State"]["Name"],
            "availabilityZone": (body.get("Placement") or {}).get("AvailabilityZone"),
            "vpcSecurityGroupIds": [group["GroupId"] for group in body.get("SecurityGroups", ())],
            "primaryNetworkInterfaceId": interfaces[0].get("NetworkInterfaceId"),
            "publicDns": body.get("PublicDnsName", ""),
            "publicIp": body.get("PublicIpAddress", ""),
        }

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Attributes in place; another type or user data needs a stop and a start, as on EC2."""
        client, differs = self.client(context), roots(olds, news)
        if differs & {"instanceType", "userData", "userDataBase64"}:
            client.stop_instances(InstanceIds=[resource_id])
            self._until(context, resource_id, "stopped")
            try:
                self.modify(
                    context, "ModifyInstanceAttribute", resource_id, given(news, *(differs & {"instanceType"}))
                )
                if differs & {"userData", "userDataBase64"}:
                    data = {"Value": (news.get("userData") or "").encode() or _decoded(news.get("userDataBase64"))}
                    client.modify_instance_attribute(InstanceId=resource_id, UserData=data)
            finally:  # a change that is refused must not leave it stopped
                client.start_instances(InstanceIds=[resource_id])
                self._until(context, resource_id, "running")
        if "vpcSecurityGroupIds" in differs:
            client.modify_instance_attribute(InstanceId=resource_id, Groups=news["vpcSecurityGroupIds"])
        self.modify(context, "ModifyInstanceAttribute", resource_id, given(news, *(differs & set(_IN_PLACE))))

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Terminate it."""
        self.client(context).terminate_instances(InstanceIds=[resource_id])
        self.wait_gone(context, resource_id, state)

    def _until(self, context: Context, instance: str, state: str) -> None:
        client = self.client(context)

        def reached() -> bool:
            found = client.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
            return bool(found["State"]["Name"] == state)

        context.wait_until(reached, f"{instance} {state}")


class LaunchTemplate(Ec2):
    """How instances are launched; a change is a new version of it."""

    token: ClassVar = "aws:ec2/launchTemplate:LaunchTemplate"
    noun: ClassVar = "LaunchTemplate"
    kind: ClassVar = "launch-template"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 128}
    renames: ClassVar = {
        "name": "LaunchTemplateName", "defaultVersion": "DefaultVersionNumber",
        "latestVersion": "LatestVersionNumber", "description": "VersionDescription",
        "vpcSecurityGroupIds": "SecurityGroupIds",
        "securityGroupNames": "SecurityGroups",
    }  # fmt: skip
    replace_on: ClassVar = frozenset({"name", "namePrefix"})

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """All but its name and description is the template's data."""
        del context
        return {**given(inputs, "name", "description"), "launchTemplateData": _template_data(inputs)}

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """The template with the data of its latest version."""
        body = super().ask(context, resource_id, inputs)
        if body is None:
            return None
        wanted = {"LaunchTemplateId": resource_id, "Versions": ["$Latest"]}
        versions = self.client(context).describe_launch_template_versions(**wanted)["LaunchTemplateVersions"]
        return {**body, **(versions[0]["LaunchTemplateData"] if versions else {}), "TagSpecifications": None}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """A new version, the default one when that is asked for."""
        client = self.client(context)
        if roots(olds, news) - {"tags", "defaultVersion", "updateDefaultVersion"}:
            wanted = {name: value for name, value in self.arrange(context, news).items() if name != "name"}
            answer = self.send(context, "CreateLaunchTemplateVersion", wanted, LaunchTemplateId=resource_id)
            version = str(answer["LaunchTemplateVersion"]["VersionNumber"])
            if news.get("updateDefaultVersion"):
                client.modify_launch_template(LaunchTemplateId=resource_id, DefaultVersion=version)
        if news.get("defaultVersion") and "defaultVersion" in roots(olds, news):
            version = str(int(news["defaultVersion"]))
            client.modify_launch_template(LaunchTemplateId=resource_id, DefaultVersion=version)

    def find(self, context: Context, inputs: Properties) -> str | None:
        """By name."""
        wanted = filters(launch_template_name=str(inputs["name"]))
        found = self.client(context).describe_launch_templates(Filters=wanted)["LaunchTemplates"]
        mine = [one["LaunchTemplateId"] for one in found if one["LaunchTemplateName"] == inputs["name"]]
        return mine[0] if mine else None


class KeyPair(Ec2):
    """A public key; the id is its name."""

    token: ClassVar = "aws:ec2/keyPair:KeyPair"
    tags_after: ClassVar = True
    noun: ClassVar = "KeyPair"
    kind: ClassVar = "key-pair"
    creates: ClassVar = "ImportKeyPair"
    id_from: ClassVar = ""
    parts: ClassVar = ("keyName",)
    key: ClassVar = {"KeyName": "id"}
    named: ClassVar = "keyName"
    renames: ClassVar = {"publicKey": "PublicKeyMaterial", "fingerprint": "KeyFingerprint"}
    replace_on: ClassVar = frozenset({"keyName", "keyNamePrefix", "publicKey"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Import it."""
        super().make(context, inputs)
        return str(inputs["keyName"])

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """The key as it was given; EC2 does not tell it."""
        del context, resource_id
        told = inputs.get("publicKey")
        kind = "ed25519" if "ed25519" in str(told) else "rsa"
        return {"publicKey": told, "keyPairId": body.get("KeyPairId"), "keyType": body.get("KeyType") or kind}

    def tag_target(self, resource_id: str, state: Properties) -> list[str]:
        """By the pair's own id."""
        del resource_id
        return [str(state["keyPairId"])]


class Volume(Ec2):
    """A disk in a zone."""

    token: ClassVar = "aws:ebs/volume:Volume"
    noun: ClassVar = "Volume"
    kind: ClassVar = "volume"
    id_from: ClassVar = "VolumeId"
    renames: ClassVar = {"type": "VolumeType"}
    defaults: ClassVar = {"finalSnapshot": False}
    replace_on: ClassVar = frozenset(
        {"availabilityZone", "encrypted", "kmsKeyId", "snapshotId", "outpostArn", "multiAttachEnabled"}
    )
    updates: ClassVar = "ModifyVolume"
    settled: ClassVar = ("State", frozenset({"available", "in-use"}))


class VolumeAttachment(Ec2):
    """A disk in a machine."""

    token: ClassVar = "aws:ec2/volumeAttachment:VolumeAttachment"
    id_format: ClassVar = "vai-{volumeId}-{instanceId}"
    renames: ClassVar = {"deviceName": "Device"}
    replace_on: ClassVar = frozenset({"deviceName", "instanceId", "volumeId"})
    delete_before_replace: ClassVar = True

    def make(self, context: Context, inputs: Properties) -> str:
        """Attach it."""
        self.send(context, "AttachVolume", inputs)
        return self.joined(inputs)

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """Among the volume's attachments."""
        del resource_id
        for volume in self.client(context).describe_volumes(VolumeIds=[inputs["volumeId"]])["Volumes"]:
            for one in volume.get("Attachments", ()):
                if one.get("InstanceId") == inputs["instanceId"] and alive(one) is not None:
                    return {"deviceName": one.get("Device")}
        return None

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Detach it, unless it is to be left."""
        if not state.get("skipDestroy") and self.look(context, resource_id, state) is not None:
            self.send(context, "DetachVolume", given(state, "volumeId", "instanceId", "deviceName"))


class NetworkInterface(Ec2):
    """An interface in a subnet."""

    token: ClassVar = "aws:ec2/networkInterface:NetworkInterface"
    tags_after: ClassVar = True
    noun: ClassVar = "NetworkInterface"
    kind: ClassVar = "network-interface"
    state: ClassVar = ""
    defaults: ClassVar = {"sourceDestCheck": True}
    renames: ClassVar = {
        "securityGroups": "Groups", "privateIp": "PrivateIpAddress", "privateIps": "", "attachments": "",
        "privateIpsCount": "SecondaryPrivateIpAddressCount",
    }  # fmt: skip
    replace_on: ClassVar = frozenset({"subnetId", "interfaceType", "privateIps", "privateIp"})

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """The first of its addresses is the primary one."""
        del context
        addresses = inputs.get("privateIps") or ()
        told = [{"privateIpAddress": one, "primary": index == 0} for index, one in enumerate(addresses)]
        return {**inputs, **({"privateIpAddresses": told} if told else {})}

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Addresses and groups, as plain lists."""
        del context, resource_id, inputs
        addresses = [one["PrivateIpAddress"] for one in body.get("PrivateIpAddresses", ())]
        own = body.get("PrivateIpAddress")
        groups = [group["GroupId"] for group in body.get("Groups", ())]
        return {"privateIps": addresses or ([own] if own else []), "securityGroups": groups}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Description, groups, check."""
        client, differs = self.client(context), roots(olds, news)
        wanted = {"securityGroups": ("Groups", None), "description": ("Description", "Value"),
                  "sourceDestCheck": ("SourceDestCheck", "Value")}  # fmt: skip
        for name in sorted(differs & set(wanted)):
            member, box = wanted[name]
            value = news.get(name) if box is None else {box: news.get(name)}
            client.modify_network_interface_attribute(NetworkInterfaceId=resource_id, **{member: value})


class PlacementGroup(Ec2):
    """How instances are placed; the id is its name."""

    token: ClassVar = "aws:ec2/placementGroup:PlacementGroup"
    noun: ClassVar = "PlacementGroup"
    kind: ClassVar = "placement-group"
    id_from: ClassVar = ""
    parts: ClassVar = ("name",)
    key: ClassVar = {"GroupName": "id"}
    named: ClassVar = "name"
    renames: ClassVar = {"name": "GroupName", "placementGroupId": "GroupId"}
    replace_on: ClassVar = frozenset({"name", "partitionCount", "spreadLevel", "strategy"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it."""
        super().make(context, inputs)
        return str(inputs["name"])

    def tag_target(self, resource_id: str, state: Properties) -> list[str]:
        """By the group's own id."""
        return [str(state.get("placementGroupId") or resource_id)]


def _decoded(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def _encoded(text: Any) -> str:
    return base64.b64encode(str(text).encode()).decode()


def _launch_interface(inputs: Properties) -> Properties:
    """A public address can be asked for only of an interface, which then takes subnet and groups along."""
    if inputs.get("associatePublicIpAddress") is None:
        return {}
    interface = {
        "deviceIndex": 0,
        "associatePublicIpAddress": inputs["associatePublicIpAddress"],
        "subnetId": inputs.get("subnetId"),
        "groups": inputs.get("vpcSecurityGroupIds"),
    }
    return {"subnetId": None, "vpcSecurityGroupIds": None, "networkInterfaceSpecifications": [interface]}


def _template_data(inputs: Properties) -> Properties:
    """What instances are launched with, as CreateLaunchTemplate groups it."""
    known = {"tags", "name", "namePrefix", "description", "defaultVersion", "updateDefaultVersion"}
    data = {name: value for name, value in inputs.items() if name not in known and value is not None}
    options = data.pop("instanceMarketOptions", None)
    if options:
        data["instanceMarketOptions"] = options
    for interface in data.get("networkInterfaces") or ():
        interface.setdefault("groups", interface.get("securityGroups"))
    return data


RESOURCES = (
    Instance(), LaunchTemplate(), KeyPair(), Volume(), VolumeAttachment(), NetworkInterface(), PlacementGroup(),
)  # fmt: skip
