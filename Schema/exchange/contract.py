#!/usr/bin/env python3
"""Checks openapi.yaml beside it: every reference resolves, every example is what its schema says.

contract.py prints nothing and ends with 0 where all is well; contract.py --json prints the
document as JSON besides; contract.py --check FILE reads lines {"schema": NAME, "value": MESSAGE}
and checks each message against the component of that name. Needs the Debian packages python3-jsonschema and python3-yaml.
"""
import json
import pathlib
import sys

import jsonschema
import yaml

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
# Bodies that no JSON describes.
OPAQUE = {"application/vnd.openceir.index", "application/yaml"}
document = yaml.load(
    (pathlib.Path(__file__).parent / "openapi.yaml").read_text("utf-8"), yaml.CSafeLoader)
resolver = jsonschema.RefResolver.from_schema(document)
problems = []


def resolved(node):
    while "$ref" in node:
        node = resolver.resolve(node["$ref"])[1]
    return node


def members(node, names):
    """The names of all properties that some schema has."""
    if isinstance(node, dict):
        names.update(node.get("properties", {}))
        for child in node.values():
            members(child, names)
    elif isinstance(node, list):
        for child in node:
            members(child, names)
    return names


NAMES = members(document, set())


def unknown(value):
    if isinstance(value, dict):
        yield from (name for name in value if name not in NAMES)
        value = list(value.values())
    for child in value if isinstance(value, list) else []:
        yield from unknown(child)


def check(where, schema, value):
    validator = jsonschema.Draft202012Validator(schema, resolver=resolver)
    for error in validator.iter_errors(value):
        problems.append(f"{where}: {error.json_path}: {error.message}")
    for name in unknown(value):
        problems.append(f"{where}: no schema has {name!r}")


def examples(node):
    if "example" in node:
        yield node["example"]
    for example in node.get("examples", {}).values():
        yield resolved(example)["value"]


def walk(where, node):
    """Looks at each schema, reference and example below a node."""
    if isinstance(node, list):
        for index, child in enumerate(node):
            walk(f"{where}/{index}", child)
    if not isinstance(node, dict):
        return
    if "$ref" in node:
        try:
            resolver.resolve(node["$ref"])
        except jsonschema.RefResolutionError:
            problems.append(f"{where}: {node['$ref']} is nowhere")
    if isinstance(node.get("schema"), dict):
        for value in examples(node):
            check(where, node["schema"], value)
    if isinstance(node.get("examples"), list):
        for value in node["examples"]:
            check(where, node, value)
    for name, child in node.items():
        if name not in ("example", "examples", "value"):
            walk(f"{where}/{name}", child)


def content(where, message):
    for media, form in message.get("content", {}).items():
        if media not in OPAQUE and not list(examples(form)):
            problems.append(f"{where}: {media} has no example")


def operations():
    for path, item in document["paths"].items():
        for method in METHODS & set(item):
            yield f"{method} {path}", item[method]


def main():
    walk("", document)
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    tags = {tag["name"] for tag in document["tags"]}
    for where, operation in operations():
        if not operation.get("tags") or not set(operation["tags"]) <= tags:
            problems.append(f"{where}: no side serves it")
        content(where, resolved(operation.get("requestBody", {})))
        for status, response in operation["responses"].items():
            content(f"{where} {status}", resolved(response))
    if sys.argv[1:2] == ["--check"]:
        for number, line in enumerate(open(sys.argv[2], encoding="utf-8"), start=1):
            message = json.loads(line)
            schema = {"$ref": f"#/components/schemas/{message['schema']}"}
            check(f"line {number}, {message['schema']}", schema, message["value"])
    for problem in problems:
        print(problem, file=sys.stderr)
    if sys.argv[1:] == ["--json"]:
        json.dump(document, sys.stdout)
    sys.exit(1 if problems else 0)


main()
