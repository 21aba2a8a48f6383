// SPDX-License-Identifier: Apache-2.0
// Our BLAKE3 and that of its authors, the program b3sum, agree.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "foundation/blake3/blake3.h"
#include "foundation/blake3/page_tree.h"
#include "foundation/blake3/test_bytes.h"

namespace hm::blake3 {
namespace {

constexpr std::string_view kContext = "hypermesh 2025-01-01 00:00:00 test with b3sum";
constexpr std::size_t kSizes[] = {0,      1,       64,        1'024,     1'025,     17'408,
                                  65'536, 100'001, 1'000'000, 4'194'304, 4'194'305, 20'000'003};

class B3sum : public testing::Test {
 protected:
  B3sum() {
    std::string pattern = testing::TempDir() + "hm-b3sum-XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~B3sum() override { std::filesystem::remove_all(folder_); }

  void SetUp() override {
    if (std::system("b3sum --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "missing: b3sum";
  }

  void write(const char* name, ByteView bytes) const {
    std::ofstream out(folder_ / name, std::ios::binary);
    out << as_text(bytes);
    ASSERT_TRUE(out.good());
  }

  // What `b3sum` prints for the file "input".
  std::string printed(const std::string& options) const {
    const std::string command = "cd '" + folder_.string() + "' && b3sum --no-names " + options;
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
    std::string text;
    for (int c = std::fgetc(pipe.get()); c != EOF && c != '\n'; c = std::fgetc(pipe.get())) {
      text += static_cast<char>(c);
    }
    return text;
  }

  std::filesystem::path folder_;
};

TEST_F(B3sum, AgreesOnTheHashAndOnItsPages) {
  for (const std::size_t size : kSizes) {
    const Bytes input = test::bytes_of(size, size);
    write("input", input);
    const std::string root = printed("input");
    EXPECT_EQ(hash(input).to_string(), root) << size;
    EXPECT_EQ(PageTree::of(input).root().to_string(), root) << size;
  }
}

TEST_F(B3sum, AgreesOnTheKeyedHash) {
  const Key key = {9, 8, 7};
  write("key", key);
  for (const std::size_t size : kSizes) {
    const Bytes input = test::bytes_of(size, size);
    write("input", input);
    EXPECT_EQ(keyed_hash(key, input).to_string(), printed("--keyed input <key")) << size;
  }
}

TEST_F(B3sum, AgreesOnDerivedKeysOfAnyLength) {
  for (const std::size_t size : {32U, 1U, 64U, 65U, 1'000U}) {
    const Bytes input = test::bytes_of(3'000, size);
    write("input", input);
    Hasher hasher = Hasher::deriving(kContext);
    hasher.update(input);
    Bytes out(size);
    hasher.extended_output(0, out);
    EXPECT_EQ(to_hex(out), printed("--length " + std::to_string(size) + " --derive-key '" +
                                   std::string(kContext) + "' input"))
        << size;
  }
}

}  // namespace
}  // namespace hm::blake3
