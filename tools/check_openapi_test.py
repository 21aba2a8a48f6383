# SPDX-License-Identifier: Apache-2.0
"""Each planted fault in an OpenAPI document must be caught."""

import copy
import json
import unittest
from pathlib import Path

import check_openapi
from planted_tree import PlantedTreeTest

ERROR = {"description": "why not", "content": {"application/json": {"schema": {"$ref": check_openapi.ERROR_SCHEMA}}}}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "a", "version": "1"},
    "paths": {
        "/assets/{id}": {
            "get": {
                "operationId": "asset",
                "summary": "one asset",
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"200": {"description": "it"}, "404": ERROR},
            }
        }
    },
    "components": {"schemas": {"Error": {"type": "object"}}},
}


def changed(*path, value=None):
    document = copy.deepcopy(DOCUMENT)
    node = document
    for key in path[:-1]:
        node = node[key]
    if value is None:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return {check_openapi.DOCUMENT: json.dumps(document)}


GET = ("paths", "/assets/{id}", "get")


class OpenApiTest(PlantedTreeTest):
    check = staticmethod(check_openapi.check)
    clean = {check_openapi.DOCUMENT: json.dumps(DOCUMENT)}

    def test_clean_document_passes(self):
        self.assert_clean()

    def test_no_document_or_no_json(self):
        self.assertIn("is missing", check_openapi.check(Path("/nonexistent"))[0])
        self.assert_caught({check_openapi.DOCUMENT: "{"}, check_openapi.DOCUMENT)

    def test_old_version(self):
        self.assert_caught(changed("openapi", value="3.0.3"), "not 3.1")

    def test_undeclared_path_parameter(self):
        self.assert_caught(changed(*GET, "parameters"), "path parameters")

    def test_missing_operation_id_and_summary(self):
        self.assert_caught(changed(*GET, "operationId"), "no operationId")
        self.assert_caught(changed(*GET, "summary"), "no summary")

    def test_taken_operation_id(self):
        other = {**copy.deepcopy(DOCUMENT["paths"]["/assets/{id}"]["get"]), "parameters": []}
        self.assert_caught(changed("paths", "/b", value={"get": other}), "is taken by")

    def test_failure_without_the_shape_of_errors(self):
        self.assert_caught(changed(*GET, "responses", "404", value={"description": "x"}), "not of the schema Error")

    def test_answer_without_description(self):
        self.assert_caught(changed(*GET, "responses", "200", value={"x": 1}), "no description")

    def test_dangling_and_unused(self):
        self.assert_caught(changed("components", value={"schemas": {}}), "leads nowhere")
        self.assert_caught(
            changed("components", "schemas", value={"Error": {}, "Spare": {}}), "used by nothing"
        )


if __name__ == "__main__":
    unittest.main()
