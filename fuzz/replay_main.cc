// SPDX-License-Identifier: Apache-2.0
// Drives a fuzz target without libFuzzer: replays every file of a corpus folder, then a fixed
// number of seeded mutations of each, so that every machine and compiler runs the same inputs.
// It promises the same inputs in the same order on every run; it does not search for coverage,
// which is what the preset `fuzz` is for.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;

constexpr int kMutationsPerFile = 500;  // Keeps a target with thirty files near a second.
constexpr std::size_t kInputMax = 1 << 20;

// SplitMix64: tiny, seeded, the same everywhere.
class Sequence {
 public:
  explicit Sequence(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : next() % bound; }

 private:
  std::uint64_t state_;
};

void mutate(Input& input, Sequence& random) {
  const std::size_t edits = 1 + random.below(4);
  for (std::size_t i = 0; i < edits; ++i) {
    const std::size_t at = random.below(input.size());
    switch (random.below(6)) {
      case 0:
        if (!input.empty()) input[at] ^= static_cast<std::uint8_t>(1U << random.below(8));
        break;
      case 1:
        if (!input.empty()) input[at] = static_cast<std::uint8_t>(random.next());
        break;
      case 2:
        input.insert(input.begin() + static_cast<std::ptrdiff_t>(at),
                     static_cast<std::uint8_t>(random.next()));
        break;
      case 3:
        if (!input.empty()) input.erase(input.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      case 4: input.resize(at); break;
      default:
        // Boundary values are where length fields break.
        if (!input.empty()) input[at] = random.below(2) == 0 ? 0xff : 0x7f;
        break;
    }
  }
}

Input read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    std::fprintf(stderr, "cannot read %s\n", path.c_str());
    std::exit(1);
  }
  Input bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  bytes.resize(std::min(bytes.size(), kInputMax));
  return bytes;
}

void run(const Input& input) { LLVMFuzzerTestOneInput(input.data(), input.size()); }

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s CORPUS_FOLDER|FILE\n", argv[0]);
    return 2;
  }
  const std::filesystem::path where = argv[1];
  std::vector<std::filesystem::path> files;
  if (std::filesystem::is_directory(where)) {
    for (const auto& entry : std::filesystem::directory_iterator(where)) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
  } else if (std::filesystem::is_regular_file(where)) {
    files.push_back(where);
  }
  if (files.empty()) {
    std::fprintf(stderr, "no corpus at %s\n", where.c_str());
    return 1;
  }
  run({});
  std::uint64_t ran = 1;
  for (const auto& file : files) {
    std::fprintf(stderr, "%s\n", file.filename().c_str());
    const Input original = read_file(file);
    run(original);
    ++ran;
    for (int i = 0; i < kMutationsPerFile; ++i, ++ran) {
      Input input = original;
      Sequence random(static_cast<std::uint64_t>(i) + 1);
      mutate(input, random);
      run(input);
    }
  }
  std::printf("%llu inputs from %zu corpus files\n", static_cast<unsigned long long>(ran),
              files.size());
  return 0;
}
