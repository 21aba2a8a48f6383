# SPDX-License-Identifier: Apache-2.0
"""The CMake words must catch what they promise: a header that does not compile alone, a misspelt
keyword, and a missing dependency, which is named together with its Debian package."""

import subprocess
import tempfile
import unittest
from pathlib import Path

from source_tree import HERE

PROJECT = """
cmake_minimum_required(VERSION 3.25)
project(planted CXX)
set(CMAKE_CXX_STANDARD 20)
add_library(hm_options INTERFACE)
add_library(hm::options ALIAS hm_options)
target_include_directories(hm_options INTERFACE "${CMAKE_SOURCE_DIR}/src")
"""
MODULE = f'include("{HERE}/cmake/HypermeshModule.cmake")\nadd_subdirectory(src/m)\n'


class BuildTest(unittest.TestCase):
    def build(self, files, target=None):
        with tempfile.TemporaryDirectory() as folder:
            for path, text in files.items():
                (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
                (Path(folder) / path).write_text(text)
            command = ["cmake", "-G", "Ninja", "-S", folder, "-B", f"{folder}/build"]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode == 0 and target:
                command = ["cmake", "--build", f"{folder}/build", "--target", target]
                done = subprocess.run(command, capture_output=True, text=True)
            return done.returncode, done.stdout + done.stderr

    def module(self, header, call="hm_module(m HEADERS m.h)"):
        files = {"CMakeLists.txt": PROJECT + MODULE, "src/m/CMakeLists.txt": call, "src/m/m.h": header}
        return self.build(files, "all_verify_interface_header_sets")

    def test_header_that_compiles_alone_passes(self):
        code, output = self.module("#pragma once\n#include <string>\ninline std::string name;\n")
        self.assertEqual(code, 0, output)

    def test_header_that_needs_another_is_caught(self):
        code, output = self.module("#pragma once\ninline std::string name;\n")
        self.assertNotEqual(code, 0)
        self.assertIn("m.h", output)

    def test_misspelt_keyword_is_caught(self):
        code, output = self.module("#pragma once\n", "hm_module(m HEADER m.h)")
        self.assertNotEqual(code, 0)
        self.assertIn("not understood: HEADER", output)

    def test_missing_dependency_is_named_with_its_package(self):
        text = (HERE / "cmake/HypermeshDependencies.cmake").read_text()
        functions = text[: text.index("\nhm_require_")]
        for call in ("hm_require_pkg(x nowhere libnowhere-dev 1.0)",
                     "hm_require_header(x nowhere/nowhere.h libnowhere-dev)"):
            code, output = self.build({"CMakeLists.txt": PROJECT + functions + "\n" + call})
            self.assertNotEqual(code, 0)
            self.assertIn("nowhere", output)
            self.assertIn("libnowhere-dev", output)


if __name__ == "__main__":
    unittest.main()
