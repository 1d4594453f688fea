"""The truth table: what each service and feature is on the embedded cloud, and what proves it or what to do instead.

`works`: behaves as AWS documents; `proof` is the test that shows it. `state only`: the API keeps what it is given and
nothing acts on it. `absent`: refused, or not there. `tests/contract/test_truth.py` keeps every row true.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.cloud.homes import MINISTACK, MOTO, OURS

State = Literal["works", "state only", "absent"]


@dataclass(frozen=True, slots=True)
class Truth:
    """One row. `service` is botocore's name; `proof` is `file::test` under `tests/`; `instead` is what to do."""

    service: str
    feature: str
    state: State
    proof: str = ""
    instead: str = ""


def _works(service: str, feature: str, proof: str, instead: str = "") -> Truth:
    return Truth(service, feature, "works", proof, instead)


def _state(service: str, feature: str, instead: str) -> Truth:
    return Truth(service, feature, "state only", instead=instead)


def _absent(service: str, feature: str, instead: str) -> Truth:
    return Truth(service, feature, "absent", instead=instead)


_CLOUD, _DELIVERY, _DATABASES = "integration/cloud", "integration/delivery", "integration/databases"
_FUNCTIONS = "integration/functions/test_environments.py"
_REAL = "run this part with --target aws"

ROWS: tuple[Truth, ...] = (
    _works("apigateway", "X-Ray tracing of REST stages", f"{_CLOUD}/test_traces.py::test_an_order_is_one_trace_up_to_the_queue_and_linked_beyond_it"),
    _works("apigateway", "WebSocket APIs: routes, authorizers, @connections; they end with their region", f"{_CLOUD}/test_sockets.py::test_routes_answer_as_they_are_set_and_connections_end_with_their_region"),
    _works("apigateway", "web ACLs of WAF in front of REST stages", f"{_CLOUD}/test_waf.py::test_a_stage_blocks_what_its_web_acl_blocks"),
    _works("cloudwatch", "alarms: dimensions, M of N, missing data, percentiles, math, composites", f"{_CLOUD}/test_signals.py::test_alarms_of_every_kind_are_decided_when_their_period_ends"),
    _works("cloudwatch", "alarm actions: topics and functions", f"{_CLOUD}/test_flow_metrics.py::test_an_alarm_invokes_a_function_and_instances_are_refused_by_name"),
    _absent("cloudwatch", "alarm actions on EC2 instances", "refused by name: let a function do it"),
    _absent("cloudwatch", "anomaly detection bands", "refused by name: use a static threshold"),
    _works("cloudwatch", "GetMetricData: percentiles and math", f"{_CLOUD}/test_signals.py::test_data_come_back_with_percentiles_and_math"),
    _works("cloudwatch", "GetMetricData: SEARCH", f"{_CLOUD}/test_flow_metrics.py::test_a_search_finds_metrics_and_sums_them"),
    _works("cloudwatch", "metrics of Lambda", f"{_CLOUD}/test_signals.py::test_lambda_publishes_its_metrics_whatever_triggered_it"),
    _works("cloudwatch", "metrics of SQS", f"{_CLOUD}/test_flow_metrics.py::test_queues_count_what_is_sent_received_and_deleted"),
    _works("cloudwatch", "metrics of SNS", f"{_CLOUD}/test_flow_metrics.py::test_topics_count_messages_and_notifications"),
    _works("cloudwatch", "metrics of EventBridge", f"{_CLOUD}/test_flow_metrics.py::test_rules_count_invocations_failures_and_dead_letters"),
    _works("cloudwatch", "metrics of Step Functions", f"{_CLOUD}/test_flow_metrics.py::test_state_machines_count_executions_by_their_end"),
    _works("cloudwatch", "metrics of DynamoDB calls", f"{_CLOUD}/test_flow_metrics.py::test_tables_count_their_calls_without_a_fault_that_looks"),
    _works("cloudwatch", "metrics of DynamoDB's capacity and throttles", f"{_CLOUD}/test_limits.py::test_a_table_that_is_asked_more_than_it_was_given_refuses_and_counts_it"),
    _works("cloudwatch", "metrics of load balancers", "integration/load_balancing/test_balancer.py::test_what_passed_is_published_as_metrics"),
    _works("cloudwatch", "metrics of RDS and Aurora: connections, CPU, memory, latencies, lag", f"{_DATABASES}/test_metrics.py::test_an_instance_publishes_its_connections_its_processes_and_its_input_and_output"),
    _works("cloudwatch", "ServerlessDatabaseCapacity of the measured use", f"{_DATABASES}/test_metrics.py::test_a_serverless_instance_publishes_the_units_that_its_use_amounts_to"),
    _absent("cloudwatch", "CommitLatency, DiskQueueDepth, FreeStorageSpace, BurstBalance", "nothing waits for a disk here: watch CommitThroughput, WriteLatency"),
    _works("cloudwatch", "metrics of ElastiCache: connections, hits, misses, CPU, memory, lag", f"{_DATABASES}/test_elasticache.py::test_nodes_publish_what_they_hold_serve_and_use"),
    _works("cloudwatch", "metrics of API Gateway by stage, with IntegrationLatency", f"{_CLOUD}/test_flow_metrics.py::test_apis_tell_the_latency_of_what_they_pass_on_by_stage"),
    _works("logs", "metric filters and the embedded metric format", f"{_CLOUD}/test_logs.py::test_metric_filters_and_the_embedded_format_become_metrics"),
    _works("logs", "filter patterns", f"{_CLOUD}/test_logs.py::test_events_are_filtered_by_pattern_a_page_at_a_time"),
    _works("logs", "subscriptions to Lambda, Kinesis, Firehose", f"{_CLOUD}/test_logs.py::test_subscriptions_reach_a_function_and_a_stream"),
    _absent("logs", "subscriptions across regions", "refused by name: forward from a function"),
    _works("logs", "Insights: fields filter parse stats sort limit dedup display", f"{_CLOUD}/test_logs.py::test_insights_answers_with_aggregates_and_statistics"),
    _absent("logs", "Insights: pattern diff anomaly unnest join lookup, SQL, PPL", "refused by name: use stats and parse"),
    _works("logs", "live tail", f"{_CLOUD}/test_logs.py::test_a_live_tail_sees_matching_events"),
    _works("xray", "traces of API Gateway, Lambda, SNS, EventBridge, SQS", f"{_CLOUD}/test_traces.py::test_an_order_is_one_trace_up_to_the_queue_and_linked_beyond_it"),
    _works("xray", "traces of Step Functions", f"{_CLOUD}/test_traces.py::test_a_state_machine_is_a_segment_with_its_states"),
    _works("xray", "the daemon, annotations", f"{_CLOUD}/test_traces.py::test_segments_come_in_by_the_daemon_and_annotations_are_found"),
    _works("xray", "filter expressions, summaries", f"{_CLOUD}/test_traces.py::test_segments_that_are_put_come_back_whole"),
    _works("xray", "OTLP over HTTP", f"{_CLOUD}/test_traces.py::test_opentelemetry_comes_in_as_json_and_protobuf"),
    _state("xray", "sampling rules, groups, insights", "every trace is sampled here; AWS takes one a second and 5 %"),
    _works("lambda", "provisioned concurrency: initialised environments, spillover, metrics", f"{_FUNCTIONS}::test_provisioned_environments_wait_initialised_come_first_and_are_replaced"),
    _works("lambda", "retries, destinations, dead letters of asynchronous invocations", f"{_DELIVERY}/test_delivery.py::test_an_event_that_fails_is_retried_and_then_recorded_and_dead_lettered"),
    _works("lambda", "alias weights", f"{_DELIVERY}/test_delivery.py::test_an_alias_sends_its_share_to_another_version"),
    _works("lambda", "streams: retries, halving, on-failure destination", f"{_DELIVERY}/test_delivery.py::test_a_poison_record_of_a_stream_is_cut_out_and_the_rest_flows_on"),
    _works("lambda", "execution environments in zones", f"{_FUNCTIONS}::test_a_lost_zone_kills_in_flight_and_is_avoided_once_noticed"),
    _absent("lambda", "runtimes but Python and Node.js, their versions; Node.js in zones", "invocations of others fail by name; Python is this machine's: test versions with --target aws"),
    _works("lambda", "timeouts and memory limits", f"{_FUNCTIONS}::test_too_much_memory_kills_the_runtime"),
    _works("lambda", "Kinesis: retries, halving, on-failure destination", f"{_DELIVERY}/test_streams.py::test_a_poison_record_of_kinesis_is_cut_out_told_of_and_the_rest_flows_on"),
    _works("lambda", "streams: parallelization factor", f"{_DELIVERY}/test_streams.py::test_keys_of_one_shard_run_side_by_side_and_each_in_its_order"),
    _absent("lambda", "tumbling windows, provisioned pollers, brokers as sources", "refused by name: aggregate in the function"),
    _works("lambda", "concurrency of the account, reserved, and its scaling rate (1,000 more each ten seconds)", f"{_CLOUD}/test_limits.py::test_functions_are_throttled_by_the_account_and_by_how_fast_they_may_grow"),
    _absent("lambda", "requests a second (ten times the concurrency)", "concurrency throttles first, unless invocations are shorter than 100 ms"),
    _works("sns", "web endpoints: retry policy, dead letters", f"{_DELIVERY}/test_web_endpoints.py::test_a_topic_tries_a_web_endpoint_as_its_policy_says_and_then_keeps_the_message"),
    _absent("s3", "buckets of one name apart by region; URLs presigned with signature version 2 expire", "name buckets as on AWS, once for all; sign with version 4"),
    _state("s3", "metrics, inventory, analytics and Intelligent-Tiering configurations", "kept by their ids; no report is written and nothing is moved"),
    _absent("s3", "metadata tables, RenameObject, SelectObjectContent, GetBucketPolicyStatus", "refused with NotImplemented: read the object whole, copy it under its new name"),
    _works("apigateway", "quick create of HTTP APIs", f"{_CLOUD}/test_flow_metrics.py::test_apis_tell_the_latency_of_what_they_pass_on_by_stage"),
    _works("s3", "notifications in order by their sequencer", f"{_DELIVERY}/test_web_endpoints.py::test_notifications_of_one_object_are_put_in_order_by_their_sequencer"),
    _works("sns", "dead letters of subscriptions", f"{_DELIVERY}/test_delivery.py::test_a_subscription_that_cannot_be_served_has_a_dead_letter_queue"),
    _works("events", "dead letters of targets", f"{_DELIVERY}/test_delivery.py::test_a_rules_target_that_cannot_be_reached_has_a_dead_letter_queue"),
    _works("events", "API destinations: retry policy, dead letters", f"{_DELIVERY}/test_web_endpoints.py::test_a_rule_tries_an_api_destination_as_its_policy_says"),
    _works("events", "buses of other accounts, by their policy", f"{_DELIVERY}/test_web_endpoints.py::test_a_bus_of_another_account_gets_the_event_when_its_policy_lets_it"),
    _absent("events", "targets other than functions, queues, topics, buses, state machines, API destinations", "given up to the target's dead letters by name: put a pipe or a function between"),
    _works("events", "buses of other regions", f"{_DELIVERY}/test_delivery.py::test_a_bus_in_another_region_gets_the_event"),
    _works("schemas", "registries, schemas, versions, search, policies", f"{_CLOUD}/test_schemas.py::test_schemas_have_versions_and_are_found_by_their_words"),
    _works("schemas", "discovery on buses", f"{_CLOUD}/test_schemas.py::test_a_discoverer_learns_from_events_that_pass_and_makes_a_version_when_their_shape_changes"),
    _absent("schemas", "code bindings, AWS's own registry aws.events", f"refused by name: generate code from ExportSchema, or {_REAL}"),
    _works("cloudformation", "a template's APIs, functions, tables and roles under the role of the stack, which its caller may pass on", f"{_DELIVERY}/test_permissions.py::test_a_template_makes_what_the_role_of_its_stack_may_and_who_gives_it_one_may_pass_it_on"),
    _works("ec2", "routes and endpoints: what a function in a subnet can reach", "integration/actions/test_network.py::test_a_subnet_without_a_way_out_reaches_only_what_has_an_endpoint"),
    _works("stepfunctions", "tasks under the role of their state machine", f"{_DELIVERY}/test_permissions.py::test_a_task_does_what_the_role_of_its_state_machine_may"),
    _works("stepfunctions", "Retry and Catch by the names of errors", f"{_DELIVERY}/test_workflow_errors.py::test_errors_are_retried_and_caught_by_their_names"),
    _works("pipes", "SQS with filter, enrichment, template", f"{_CLOUD}/test_pipes.py::test_a_queue_is_filtered_enriched_and_shaped"),
    _works("pipes", "DynamoDB streams", f"{_CLOUD}/test_pipes.py::test_a_tables_stream_goes_to_a_bus"),
    _works("pipes", "Kinesis, retries, dead letters", f"{_CLOUD}/test_pipes.py::test_a_streams_batch_that_fails_is_given_up_to_the_dead_letters"),
    _absent("pipes", "brokers as sources, API destinations, logging", "refused by name: use a queue between"),
    _works("dynamodb", "point-in-time recovery", f"{_CLOUD}/test_backups.py::test_a_table_is_restored_as_it_was_between_two_writes"),
    _works("dynamodb", "global tables with lag and conflicts", f"{_CLOUD}/test_copies.py::test_of_two_writers_the_later_wins_everywhere_and_the_conflict_is_counted"),
    _works("dynamodb", "provisioned throughput with burst, of tables and reads", f"{_CLOUD}/test_limits.py::test_a_table_that_is_asked_more_than_it_was_given_refuses_and_counts_it"),
    _works("dynamodb", "throughput of indexes, unprocessed items of batches", f"{_CLOUD}/test_limits.py::test_an_index_that_cannot_follow_holds_the_table_back_and_batches_come_back_in_part"),
    _works("dynamodb", "hot partition keys, maximum on-demand throughput", f"{_CLOUD}/test_limits.py::test_a_hot_key_and_the_maximum_of_a_table_on_demand_throttle"),
    _absent("dynamodb", "throughput of PartiQL, warm throughput, decreases a day, replicated writes", "not throttled: measure with the item operations"),
    _works("application-autoscaling", "DynamoDB tables and indexes by target tracking", f"{_CLOUD}/test_limits.py::test_a_tables_throughput_is_scaled_by_its_measured_use"),
    _works("application-autoscaling", "ECS services by target tracking", "integration/tasks/test_scaling.py::test_a_service_follows_its_limits_and_its_metric"),
    _state("application-autoscaling", "other resources, step and scheduled scaling", "kept, not carried out: track a target on ECS or DynamoDB"),
    _works("s3", "replication with lag", f"{_CLOUD}/test_copies.py::test_an_object_is_pending_until_its_copy_is_there_with_the_same_version_and_tags"),
    _works("budgets", "actual cost by the cost model, notifications to topics", "unit/cloud/test_budgets.py::test_thresholds_are_shares_of_the_limit_or_amounts_and_only_of_what_is_measured"),
    _state("budgets", "filters, usage budgets, forecasts, mails, actions", "they are kept and nobody is told: a forecast needs weeks, costs are not divided here"),
    _works("codebuild", "buildspecs run: phases, variables, artifacts, logs, stop, timeout", f"{_CLOUD}/test_builds.py::test_a_build_reads_its_source_and_stores_and_keeps_its_artifacts"),
    _absent("codebuild", "sources but S3, containers, batches, reports, caches", "refused by name: bring the source as a zip in S3"),
    _works("codepipeline", "executions: S3, CodeBuild, CloudFormation, Lambda, approvals", f"{_CLOUD}/test_builds.py::test_a_pipeline_waits_for_somebodys_word_and_names_what_it_cannot_do"),
    _absent("codepipeline", "other actions, triggers, retries of a stage", f"an action fails by its name; start it by StartPipelineExecution, or: {_REAL}"),
    _works("backup", "copy jobs of DynamoDB and S3 to other regions, vault locks", f"{_CLOUD}/test_aws_backup.py::test_a_copy_in_a_locked_vault_of_another_region_is_restored_there_and_not_deleted"),
    _absent("backup", "copy jobs of RDS and Aurora", "refused by name: use a global database"),
    _works("codedeploy", "Lambda: canary, linear, hooks, alarms, rollback", "integration/deployments/test_functions.py::test_an_alarm_during_the_canary_takes_the_traffic_back"),
    _absent("codedeploy", "EC2 and on-premises", f"refused by name, no machine runs: {_REAL}"),
    _works("codedeploy", "ECS: blue/green, canary, linear, termination wait, rollback", "integration/deployments/test_services.py::test_a_canary_of_tasks_is_rolled_back_at_once_and_then_deployed"),
    _works("backup", "DynamoDB, S3, RDS, Aurora", f"{_CLOUD}/test_aws_backup.py::test_a_table_is_as_it_was_when_it_was_backed_up"),
    _works("scheduler", "schedules under their role", f"{_CLOUD}/test_schedules_and_moves.py::test_a_schedule_sends_under_its_role_and_is_gone"),
    _works("sqs", "redrive of dead letters", f"{_CLOUD}/test_schedules_and_moves.py::test_dead_letters_go_back_to_where_they_came_from"),
    _works("sqs", "the limit of messages in flight (120,000)", f"{_CLOUD}/test_limits.py::test_queues_hold_back_what_is_more_than_may_be_in_flight"),
    _works("rds", "Aurora and RDS PostgreSQL: failover", f"{_DATABASES}/test_aurora.py::test_a_killed_writer_is_replaced_after_the_modelled_delay_and_nothing_acknowledged_is_lost"),
    _works("rds", "IAM database authentication", f"{_DATABASES}/test_logins.py::test_every_other_way_in_is_refused_in_postgresqls_words"),
    _absent("rds", "MySQL, MariaDB, Oracle, SQL Server", "refused by name: use PostgreSQL"),
    _works("rds-data", "statements, batches, transactions", f"{_DATABASES}/test_data_api.py::test_a_transaction_is_seen_once_it_is_committed_and_never_when_it_is_rolled_back"),
    _works("elasticache", "Valkey and Redis: failover", f"{_DATABASES}/test_elasticache.py::test_a_killed_primary_is_replaced_after_the_modelled_delay_by_a_replica_with_its_data"),
    _works("elbv2", "listeners, rules, health checks", "integration/load_balancing/test_balancer.py::test_a_target_that_fails_its_health_checks_gets_nothing_until_it_is_well"),
    _works("elbv2", "sticky sessions", "integration/load_balancing/test_sessions.py::test_a_client_stays_with_its_target_while_that_is_well"),
    _works("elbv2", "WebSockets", "integration/load_balancing/test_sessions.py::test_a_websocket_passes_both_ways"),
    _works("route53", "records, health checks, failover", "integration/dns/test_route53.py::test_a_client_goes_to_the_other_region_when_its_own_is_lost_and_comes_back"),
    _works("wafv2", "IP sets, rates, regex, size, geo by header; common, SQLi, bad inputs", "unit/waf/test_acl.py::test_a_managed_group_blocks_by_the_rule_of_aws_and_counts_when_it_is_told_to"),
    _works("wafv2", "in front of load balancers, counted and sampled requests", "integration/load_balancing/test_firewall.py::test_a_web_acl_guards_a_load_balancer"),
    _absent("wafv2", "captcha, challenge, bot and fraud control; CloudFront, AppSync, Cognito", f"refused by name, or not asked: {_REAL}"),
    _state("eks", "clusters and node groups", f"no Kubernetes runs: {_REAL}"),
    _works("kms", "customer managed keys of secrets, queues, topics, tables, streams, buckets: their users must be allowed to use them", f"{_DELIVERY}/test_permissions.py::test_who_uses_what_a_key_encrypts_must_be_allowed_to_use_the_key"),
    _works("kms", "services that deliver to an encrypted queue must be named by its key", f"{_DELIVERY}/test_permissions.py::test_a_topic_reaches_a_queue_only_with_the_key_that_encrypts_it"),
    _absent("kms", "grants; keys of parameters, log groups and environments of functions", "kept, and asked of nobody: test such keys with --target aws"),
    _works("kms", "rates of cryptographic operations", f"{_CLOUD}/test_limits.py::test_kms_and_parameter_store_take_so_many_calls_a_second"),
    _absent("kms", "rates of other operations", "throttle by a fault: aws:fis:inject-api-throttle-error"),
    _works("ssm", "rate of Parameter Store's reads", f"{_CLOUD}/test_limits.py::test_kms_and_parameter_store_take_so_many_calls_a_second"),
    _absent("ssm", "higher throughput, rates of other operations", "set [limits] ssm_get_rate; throttle others by a fault"),
    _works("apigateway", "throttling by account, stage, method and usage plan", f"{_CLOUD}/test_limits.py::test_apis_are_throttled_by_usage_plan_method_route_and_account"),
    _works("apigatewayv2", "throttling by account, stage and route", f"{_CLOUD}/test_limits.py::test_apis_are_throttled_by_usage_plan_method_route_and_account"),
    _state("ec2", "instances", "their power and volumes follow zones; no machine runs: use ECS or Lambda"),
)  # fmt: skip


def table() -> list[Truth]:
    """Every row; a service that no row names has one for its API."""
    named = {row.service for row in ROWS}
    plain = [
        Truth(service, "the API", "state only", instead="its calls are answered and kept; no event leaves it")
        for service in sorted({*MINISTACK, *MOTO, *OURS} - named - {"fis"})
    ]
    fis = Truth(
        "fis",
        "experiments",
        "works",
        "integration/fis/test_experiments.py::test_an_experiment_runs_hits_and_leaves_nothing",
    )
    return sorted([*ROWS, fis, *plain], key=lambda row: row.service)
