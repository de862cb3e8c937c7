"""FHIR JSON as trees in which every number is as it was written, and one text for equal trees."""

import json


class Number(str):
    """A number by its digits: 1.0 and 1.00 are not the same."""

    __slots__ = ()


def read(text):
    """The tree of a JSON text."""
    return json.loads(text, parse_int=Number, parse_float=Number)


def write(tree):
    """The one text of a tree: members in the order of their names, numbers as written."""
    if isinstance(tree, Number):
        return str(tree)
    if isinstance(tree, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{write(tree[name])}" for name in sorted(tree)) + "}"
    if isinstance(tree, list):
        return "[" + ",".join(map(write, tree)) + "]"
    return json.dumps(tree, ensure_ascii=False)


def differences(expected, found, place):
    """Where two trees differ, each place once."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in sorted(expected.keys() | found.keys()):
            if name not in found:
                yield f"{place}.{name}: lost {write(expected[name])[:200]}"
            elif name not in expected:
                yield f"{place}.{name}: grown {write(found[name])[:200]}"
            else:
                yield from differences(expected[name], found[name], f"{place}.{name}")
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, (left, right) in enumerate(zip(expected, found)):
            yield from differences(left, right, f"{place}[{index}]")
    elif write(expected) != write(found):
        yield f"{place}: {write(expected)[:200]} became {write(found)[:200]}"


def walk(tree):
    """Every object of a tree."""
    if isinstance(tree, dict):
        yield tree
        for value in tree.values():
            yield from walk(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from walk(value)
