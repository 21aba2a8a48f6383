#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lints docs/api/openapi.json: OpenAPI 3.1, references that resolve, unique operation ids, path
parameters declared, answers described, every failure in the one shape of errors, nothing unused."""

import json
import re
import sys

from source_tree import arguments, report

DOCUMENT = "docs/api/openapi.json"
METHODS = {"get", "put", "post", "delete", "options", "head", "patch"}
ERROR_SCHEMA = "#/components/schemas/Error"


def resolve(document, reference):
    node = document
    for part in reference.removeprefix("#/").split("/"):
        part = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(node, dict) or part not in node:
            return None
        node = node[part]
    return node


def references(node):
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def dereferenced(document, node):
    while isinstance(node, dict) and "$ref" in node:
        node = resolve(document, node["$ref"])
    return node or {}


def answer_faults(document, where, status, answer):
    answer = dereferenced(document, answer)
    if not answer.get("description"):
        yield f"{where}: answer {status} has no description"
    if status == "default" or status.startswith(("4", "5")):
        schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
        if schema.get("$ref") != ERROR_SCHEMA:
            yield f"{where}: answer {status} is not of the schema Error"


def operation_faults(document, path, item, method):
    operation, where = item[method], f"{method.upper()} {path}"
    if not operation.get("operationId"):
        yield f"{where}: no operationId"
    if not operation.get("summary"):
        yield f"{where}: no summary"
    declared = {
        parameter.get("name")
        for parameter in (
            dereferenced(document, entry)
            for entry in item.get("parameters", []) + operation.get("parameters", [])
        )
        if parameter.get("in") == "path" and parameter.get("required") is True
    }
    used = set(re.findall(r"\{(\w+)\}", path))
    if declared != used:
        yield f"{where}: path parameters {sorted(used)} are declared as {sorted(declared)}"
    answers = operation.get("responses", {})
    # 101: the connection becomes a WebSocket.
    if not any(status.startswith("2") or status == "101" for status in answers):
        yield f"{where}: no answer of success"
    for status, answer in answers.items():
        yield from answer_faults(document, where, status, answer)


def document_faults(document):
    if not str(document.get("openapi", "")).startswith("3.1."):
        yield f"openapi is {document.get('openapi')}, not 3.1"
    if not document.get("info", {}).get("title") or not document.get("info", {}).get("version"):
        yield "info needs title and version"
    if not document.get("paths"):
        yield "no paths"
    seen = {}
    for path, item in document.get("paths", {}).items():
        for method in METHODS & set(item):
            yield from operation_faults(document, path, item, method)
            name = item[method].get("operationId")
            if name in seen:
                yield f"{method.upper()} {path}: operationId {name} is taken by {seen[name]}"
            seen[name] = f"{method.upper()} {path}"
    used = set(references(document))
    for reference in used:
        if not reference.startswith("#/") or resolve(document, reference) is None:
            yield f"{reference} leads nowhere"
    for kind in ("schemas", "responses", "parameters"):
        for name in document.get("components", {}).get(kind, {}):
            if f"#/components/{kind}/{name}" not in used:
                yield f"component {kind}/{name} is used by nothing"


def check(root):
    path = root / DOCUMENT
    if not path.is_file():
        return [f"{DOCUMENT} is missing"]
    try:
        document = json.loads(path.read_text())
    except ValueError as error:
        return [f"{DOCUMENT}: {error}"]
    return [f"{DOCUMENT}: {fault}" for fault in document_faults(document)]


if __name__ == "__main__":
    sys.exit(report(check(arguments(__doc__).parse_args().root)))
