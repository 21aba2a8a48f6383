// SPDX-License-Identifier: Apache-2.0
// A target that fails on purpose. The test fuzz.canary demands that it does: a harness under which
// this one passes would let every other target pass too.
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text.starts_with("HM!")) std::abort();
  return 0;
}
