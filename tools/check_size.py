#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Keeps files and functions small enough to read: 600 lines a file (tests 1000), 70 a function.

What exceeds a limit stands in tools/size_allowed.txt with its size. That list may only shrink: an
entry that is larger than what it allows for is a fault, and so is one that has become needless.
"""

import ast
import re
import sys

from source_tree import CPP, arguments, files, is_test, report, without_comments

FILE_MAX = 600
TEST_FILE_MAX = 1000
FUNCTION_MAX = 70
ALLOWED = "tools/size_allowed.txt"
SCOPE = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b[^()]*$")
NAME = re.compile(r"([\w:~]+)\s*\(")


def cpp_functions(text):
    """(name, first line, lines) of every function body at namespace or class scope.

    Relies on the formatter: a body's brace follows a space, an initialiser's brace does not.
    """
    clean = without_comments(re.sub(r"^\s*#.*(?:\\\n.*)*$", "", text, flags=re.M))
    stack, header, header_line, line = [], "", 1, 1
    for at, char in enumerate(clean):
        if char == "\n":
            line += 1
        if char == "{":
            before = clean[at - 1] if at else " "
            outside = all(kind == "scope" for kind, *_ in stack)
            if not before.isspace() or header.rstrip().endswith(("=", ",", "return")):
                stack.append(("initialiser", "", 0, header, header_line))
                continue
            found = NAME.search(header)
            kind = "block"
            if outside:
                kind = "function" if found and not SCOPE.search(header) else "scope"
            stack.append((kind, found[1] if found else "", header_line, "", 0))
            header = ""
        elif char == "}" and stack:
            kind, name, start, *_ = stack.pop()
            if kind == "function":
                yield name, start, line - start + 1
            if kind != "initialiser":
                header = ""
        elif char == ";":
            header = ""
        elif header or not char.isspace():
            if not header:
                header_line = line
            header += char


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno - node.lineno + 1


def sizes(root):
    """(key, where, lines, limit) of everything that has a limit."""
    for path in files(root, *CPP, ".py", ".bash", "tools/dev", under=("src", "tests", "fuzz", "bench", "tools")):
        text = (root / path).read_text()
        limit = TEST_FILE_MAX if is_test(path) else FILE_MAX
        yield str(path), f"{path}:1", text.count("\n"), limit
        functions = ()
        if path.suffix in CPP:
            functions = cpp_functions(text)
        elif path.suffix == ".py":
            functions = python_functions(text)
        for name, line, lines in functions:
            yield f"{path}:{name}", f"{path}:{line}", lines, FUNCTION_MAX


def allowances(root):
    path = root / ALLOWED
    lines = path.read_text().splitlines() if path.is_file() else []
    entries = (line.split("#")[0].split() for line in lines)
    return {entry[0]: int(entry[1]) for entry in entries if entry}


def check(root):
    allowed, faults, used = allowances(root), [], {}
    for key, where, lines, limit in sizes(root):
        if lines <= limit:
            continue
        used[key] = max(lines, used.get(key, 0))
        if lines > allowed.get(key, limit):
            what = "function" if ":" in key else "file"
            faults.append(f"{where}: {what} of {lines} lines, at most {allowed.get(key, limit)}")
    for key, granted in allowed.items():
        if used.get(key, 0) < granted:
            now = f"lower it to {used[key]}" if key in used else "remove the entry"
            faults.append(f"{ALLOWED}: {key} needs less than {granted}: {now}")
    return faults


if __name__ == "__main__":
    sys.exit(report(check(arguments(__doc__).parse_args().root)))
