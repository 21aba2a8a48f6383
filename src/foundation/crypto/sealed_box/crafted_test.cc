// SPDX-License-Identifier: Apache-2.0
// Boxes that seal() never makes: what somebody can do who knows the content key.
#include <gtest/gtest.h>

#include "foundation/crypto/sealed_box/key_schedule.h"
#include "foundation/crypto/sealed_box/test_boxes.h"

namespace hm::sealed_box {
namespace {

class CraftedBox : public testing::Test {
 protected:
  Wrap wrap(const DecapsulationKey& reader, const ContentKey& key) const {
    const std::array<std::uint8_t, ml_kem::kWordSize> m{9};
    return wrap_for(reader.encapsulation_key(), m, key, context_, box_.commitment);
  }

  void put(std::initializer_list<Wrap> wraps) {
    box_.wraps = wraps;
    std::ranges::sort(box_.wraps, {}, &Wrap::hint);
  }

  Context context_ = some_context();
  std::vector<DecapsulationKey> keys_ = keys_of(1, 2);
  ContentKey first_{1};
  ContentKey second_{2};
  Bytes content_ = to_bytes(as_bytes("content"));
  Box box_ = [this] {
    Box box;
    box.content = seal_content(first_, context_, content_);
    box.commitment = commit(first_, context_, box.content);
    return box;
  }();
};

TEST_F(CraftedBox, WithTheSameKeyInEachWrapOpens) {
  put({wrap(keys_[0], first_), wrap(keys_[1], first_)});
  for (const DecapsulationKey& key : keys_) EXPECT_EQ(open(box_, key, context_), content_);
}

TEST_F(CraftedBox, WithAnotherContentKeyInOneWrapIsRefusedByItsReader) {
  put({wrap(keys_[0], first_), wrap(keys_[1], second_)});
  EXPECT_EQ(open(box_, keys_[0], context_), content_);
  EXPECT_EQ(refusal_of(open(box_, keys_[1], context_)), Refusal::NotCommitted);
  EXPECT_EQ(refusal_of(add_reader(box_, keys_[1], key_of(3).encapsulation_key(), context_,
                                  counting_bytes())),
            Refusal::NotCommitted);
}

TEST_F(CraftedBox, WithNewContentUnderTheSameKeyIsRefusedByThoseWhoHaveAWrap) {
  put({wrap(keys_[0], first_)});
  box_.content = seal_content(first_, context_, as_bytes("other content"));
  EXPECT_EQ(refusal_of(open(box_, keys_[0], context_)), Refusal::NotCommitted);
}

TEST_F(CraftedBox, CommittedToContentThatIsNotSealedUnderTheKeyIsRefused) {
  box_.commitment = commit(second_, context_, box_.content);
  put({wrap(keys_[0], second_)});
  EXPECT_EQ(refusal_of(open(box_, keys_[0], context_)), Refusal::BadContent);
}

TEST_F(CraftedBox, WithTheWrapOfOneReaderUnderTheHintOfAnotherIsRefused) {
  Wrap moved = wrap(keys_[0], first_);
  moved.hint = hint_of(keys_[1].encapsulation_key(), box_.commitment);
  put({moved});
  EXPECT_EQ(refusal_of(open(box_, keys_[0], context_)), Refusal::NotAReader);
  EXPECT_EQ(refusal_of(open(box_, keys_[1], context_)), Refusal::WrongContextOrTampered);
}

TEST_F(CraftedBox, CommitmentsDifferByKeyContextAndContent) {
  Context other = context_;
  ++other.version;
  Bytes altered = box_.content;
  altered.front() ^= 1;
  EXPECT_NE(commit(second_, context_, box_.content), box_.commitment);
  EXPECT_NE(commit(first_, other, box_.content), box_.commitment);
  EXPECT_NE(commit(first_, context_, altered), box_.commitment);
}

// The same chance twice is the caller's fault; it must not give the content key away.
TEST_F(CraftedBox, AnEncapsulationThatIsUsedTwiceStillHasAKeyForEachBox) {
  const Wrap one = wrap(keys_[0], first_);
  box_.commitment = commit(second_, context_, box_.content);
  const Wrap two = wrap(keys_[0], second_);
  ASSERT_EQ(one.ciphertext, two.ciphertext);
  // Under one key and nonce, the sealed keys would differ as the keys do.
  std::array<std::uint8_t, sizeof(ContentKey)> sum{};
  for (std::size_t i = 0; i < sum.size(); ++i) {
    sum[i] =
        static_cast<std::uint8_t>(one.sealed_key[i] ^ two.sealed_key[i] ^ first_[i] ^ second_[i]);
  }
  EXPECT_NE(sum, decltype(sum){});
}

}  // namespace
}  // namespace hm::sealed_box
