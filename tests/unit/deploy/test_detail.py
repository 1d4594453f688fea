"""What a diff shows: paths, values, never a secret."""

from harness.deploy.engine.detail import every, join, property_changes
from harness.deploy.engine.diff import parse_path
from harness.deploy.engine.values import UNKNOWN, Archive, Asset, Secret


def _shown(old, new, **options):
    return {c.path: (c.kind, c.old, c.new) for c in property_changes(old, new, **options)}


def test_paths_of_lists_and_maps_have_old_and_new_values():
    old = {"tags": {"a b": "1", "gone": "x"}, "rules": [{"port": 1}], "same": 1}
    new = {"tags": {"a b": "2"}, "rules": [{"port": 1}, {"port": 2}], "same": 1}
    assert _shown(old, new) == {
        "rules[1]": ("add", None, {"port": 2}),
        'tags["a b"]': ("update", "1", "2"),
        "tags.gone": ("delete", "x", None),
    }


def test_a_secret_is_masked_and_nothing_inside_it_is_named():
    old = {"env": Secret({"PASSWORD": "one"}), "plain": {"x": Secret("one")}}
    new = {"env": Secret({"PASSWORD": "two"}), "plain": {"x": Secret("two")}}
    found = property_changes(old, new)
    assert [(c.path, c.old, c.new) for c in found] == [
        ("env", "[secret]", "[secret]"),
        ("plain.x", "[secret]", "[secret]"),
    ]
    assert "two" not in repr(found)
    assert "PASSWORD" not in repr(found)


def test_a_value_that_becomes_secret_does_not_show_either_side_in_the_clear():
    (change,) = property_changes({"p": Secret("one")}, {"p": "two"})
    assert (change.old, change.new) == ("[secret]", "[secret]")


def test_unknowns_and_files():
    old = {"arn": "a", "code": Archive("path", "./app", "aaaaaaaaaa")}
    new = {"arn": UNKNOWN, "code": Archive("path", "./app", "bbbbbbbbbb")}
    assert _shown(old, new) == {
        "arn": ("update", "a", "[unknown]"),
        "code": ("update", "archive(file:aaaaaaa) { ./app }", "archive(file:bbbbbbb) { ./app }"),
    }
    assert every({"page": Asset("text", "secret text", "cccccccccc")}, "add")[0].new == "asset(text:ccccccc)"


def test_what_asks_for_a_new_resource_is_marked():
    found = property_changes({"name": "a", "size": 1}, {"name": "b", "size": 2}, replaces=lambda p: p == "name")
    assert [(c.path, c.replaces) for c in found] == [("name", True), ("size", False)]


def test_join_is_the_inverse_of_parse_path():
    for path in ("a", "a.b[0].c", 'tags["x y"].z', 'a["b.c"][3]'):
        assert join(parse_path(path)) == path
