#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the layers: what may include what, what stays pure, what stays exact.

An include may go down the layers or to a declared sibling, never up or sideways; a module includes
only what its DEPENDS names; only headers listed under HEADERS are seen from outside, and those are
free of heavy libraries; pure layers see no clock, thread, file or socket; exact modules compute
with integers and ordered containers, so that every node gets the same bits.
"""

import graphlib
import re
import sys

from source_tree import CPP, arguments, files, is_test, modules, report, without_comments

BELOW = {  # layer -> the other layers that it may include
    "foundation": "",
    "core": "foundation",
    "ports": "core foundation",
    "node": "ports core foundation",
    "platform": "ports core foundation",
    "simulator": "node ports core foundation",
    "apps": "platform node ports core foundation",
}
PURE = ("foundation", "core", "ports", "node")
EXACT = ("consensus", "ledger", "caesar", "proofs", "privacy", "scheduling", "trust")
IMPURE = re.compile(
    r"#include <(thread|mutex|shared_mutex|condition_variable|future|random|filesystem|fstream|sys/|"
    r"netinet/|arpa/|net/|linux/|unistd|fcntl|signal|csignal|pthread|boost)"
    r"|_clock::now|\brandom_device\b|\bgetenv\b"
)
COROUTINE = re.compile(r"\bco_(await|return|yield)\b")
INEXACT = re.compile(r"\b(float|double)\b|#include <unordered_|#include <(cmath|math\.h)>")
HEAVY = re.compile(
    r"#include <(boost/|openssl/|nlohmann/|CLI/|rocksdb/|gnutls/|ngtcp2/|spdlog/|fmt/|toml\+\+/|"
    r"prometheus/|sodium)"
)
INCLUDE = re.compile(r'\s*#include "([^"]*)"')


class Tree:
    def __init__(self, root):
        self.root = root
        self.modules = modules(root)
        self.by_folder = {}  # src folder -> DEPENDS, TEST_DEPENDS and public headers of its modules
        for module in self.modules:
            owner = self.by_folder.setdefault(module.folder, {"depends": set(), "tests": set(), "headers": set()})
            owner["depends"] |= set(module.get("DEPENDS")) | {module.name}
            owner["tests"] |= set(module.get("TEST_DEPENDS"))
            owner["headers"] |= {module.folder / header for header in module.get("HEADERS")}

    def owner(self, path):
        """The nearest folder above path that declares a module."""
        for folder in path.parents:
            if folder in self.by_folder:
                return folder
        return path.parent

    def names_in(self, folder):
        return {module.name for module in self.modules if module.folder == folder}

    def declared(self, path):
        owner = self.by_folder.get(self.owner(path), {"depends": set(), "tests": set()})
        return owner["depends"] | (owner["tests"] if is_test(path) else set())

    def is_public(self, header):
        return header in self.by_folder.get(self.owner(header), {"headers": ()})["headers"]


def include_faults(tree, path, included):
    layer = path.parts[1] if path.parts[0] == "src" else None
    target = path.__class__("src") / included
    if ".." in target.parts or not (tree.root / target).is_file():
        yield f'"{included}" is no file below src/; write includes from there'
        return
    if tree.owner(target) == tree.owner(path):
        return
    other_layer = target.parts[1]
    if layer and other_layer != layer and other_layer not in BELOW.get(layer, "").split():
        yield f"{layer} may not include {other_layer}"
    if not tree.is_public(target):
        yield f'"{included}" is not among the HEADERS of its module'
    names = tree.names_in(tree.owner(target))
    if not names & tree.declared(path):
        yield f"{'/'.join(sorted(names)) or included} is not in DEPENDS of {tree.owner(path).name}"


def line_faults(path, line):
    layer, module = path.parts[1], path.parts[2]
    if COROUTINE.search(line):
        yield "no coroutines: g++ 12 destroys temporaries in co_await operands twice"
    if is_test(path):
        return
    if layer in PURE and IMPURE.search(line):
        yield f"{layer} is pure: time, chance and the outside come in as arguments"
    if layer == "core" and module in EXACT and INEXACT.search(line):
        yield f"{module} must be exact and ordered"


def file_faults(tree, path):
    text = (tree.root / path).read_text()
    bare = without_comments(text).splitlines()
    in_src = path.parts[0] == "src"
    public = tree.is_public(path)
    for number, (line, clean) in enumerate(zip(text.splitlines(), bare), 1):
        where = f"{path}:{number}"
        if in_src:
            yield from (f"{where}: {fault}" for fault in line_faults(path, clean))
            if public and HEAVY.match(line):
                yield f"{where}: heavy library headers belong into .cc files"
        found = INCLUDE.match(line)
        if found:
            yield from (f"{where}: {fault}" for fault in include_faults(tree, path, found[1]))


def module_faults(tree):
    graph = {}
    for module in tree.modules:
        where = f"{module.folder}/CMakeLists.txt"
        if module.word == "hm_module":
            if module.name in graph:
                yield f"{where}: module {module.name} is declared twice"
            if module.folder.name != module.name:
                yield f"{where}: module {module.name} must be named like its folder"
            graph[module.name] = set(module.get("DEPENDS"))
    for module in tree.modules:
        for name in module.get("DEPENDS") + module.get("TEST_DEPENDS"):
            if name not in graph:
                yield f"{module.folder}/CMakeLists.txt: {module.name} depends on unknown module {name}"
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        yield f"DEPENDS form a cycle: {' -> '.join(error.args[1])}"


def check(root):
    tree = Tree(root)
    faults = list(module_faults(tree))
    for path in files(root, *CPP, under=("src", "fuzz", "bench")):
        faults += file_faults(tree, path)
        if path.parts[0] == "src" and path.parts[1] not in BELOW:
            faults.append(f"{path}: {path.parts[1]} is not a layer")
    return faults


if __name__ == "__main__":
    sys.exit(report(check(arguments(__doc__).parse_args().root)))
