// SPDX-License-Identifier: Apache-2.0
// The whole storage pipeline as rows of bench_storage: an object into stripes, and back.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "foundation/base/bytes.h"

struct PipelineCase {
  std::string name;
  std::size_t bytes;
  std::function<std::size_t()> run;  // gives how many stripes it made, or shards it took
  double bar = 0;                    // 0: none
};

// The object must outlive them.
std::vector<PipelineCase> pipeline_cases(hm::ByteView object);
