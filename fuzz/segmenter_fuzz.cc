// SPDX-License-Identifier: Apache-2.0
// Objects from anybody, archives that lie among them: the segments are the object, have the lengths
// that they must have, and are the same when the object comes in other pieces. The first byte
// chooses class and profile, the next two the pieces.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/storage/compression.h"
#include "core/storage/content_class.h"
#include "core/storage/segmenter.h"
#include "foundation/base/check.h"

namespace {
using namespace hm;
using namespace hm::storage;

struct Cuts {
  std::vector<std::size_t> lengths;
  std::size_t total = 0;
};

Cuts cut(ByteView object, const Profile& profile, ContentClass content, std::size_t piece) {
  static const SegmentKey kKey(std::array<std::uint8_t, kSegmentKeySize>{1});
  Cuts cuts;
  Segmenter segmenter(profile, content, kKey);
  const auto sink = [&](ByteView segment) {
    HM_CHECK(std::ranges::equal(segment, object.subspan(cuts.total, segment.size())));
    cuts.lengths.push_back(segment.size());
    cuts.total += segment.size();
  };
  for (std::size_t at = 0; at < object.size(); at += piece) {
    segmenter.feed(object.subspan(at, std::min(piece, object.size() - at)), sink);
  }
  segmenter.finish(sink);
  HM_CHECK(cuts.total == object.size());
  return cuts;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  constexpr std::array kClasses{ContentClass::Tar, ContentClass::Zip, ContentClass::Other,
                                ContentClass::DiskImage};
  const std::array profiles{Profile::by_content(256, 512, 1024).value(),
                            Profile::by_content(512, 2048, 8192).value(), Profile::standard(),
                            Profile::fixed(700).value()};
  const ContentClass content = kClasses[data[0] % kClasses.size()];
  const Profile& profile = profiles[data[0] / kClasses.size() % profiles.size()];
  const std::size_t piece = 1 + data[1] + std::size_t{256} * data[2];
  const ByteView object(data + 3, size - 3);

  const Cuts whole = cut(object, profile, content, size);
  HM_CHECK(cut(object, profile, content, piece).lengths == whole.lengths);
  const SegmentBounds bounds = bounds_of(profile, content);
  for (std::size_t i = 0; i < whole.lengths.size(); ++i) {
    HM_CHECK(whole.lengths[i] <= bounds.longest);
    HM_CHECK(i + 1 == whole.lengths.size() || whole.lengths[i] >= bounds.shortest);
  }
  HM_CHECK(!name_of(classify(object, as_text(object.first(std::min<std::size_t>(8, size - 3)))))
                .empty());
  static Compressor compressor;
  if (const auto frame = compressor.decompress(object, piece)) HM_CHECK(frame->size() == piece);
  return 0;
}
