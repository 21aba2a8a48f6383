// SPDX-License-Identifier: Apache-2.0
#include "platform/files/owner_key_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "foundation/base/hex.h"

namespace hm::files {
namespace {

namespace fs = std::filesystem;

// Guards nothing here.
constexpr crypto::PasswordCost kCheap = crypto::kMinPasswordCost;

const identity::OwnerKeys& keys() {
  static const identity::OwnerKeys made =
      identity::OwnerKeys::generate(identity::OwnerSeeds(), falcon::Arithmetic::Hardware);
  return made;
}

class OwnerKeyFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "hm-keys-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    path_ = (folder_ / "owner.key").string();
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string text() const {
    std::ifstream in(path_);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void put(const std::string& text) const { std::ofstream(path_) << text; }
  std::optional<ErrorCode> refusal(const std::string& passphrase = {}) const {
    const auto read = read_owner_keys(path_, [&](const std::string&) { return passphrase; });
    return read ? std::nullopt : std::optional(read.error().code);
  }

  fs::path folder_;
  std::string path_;
};

TEST_F(OwnerKeyFile, RoundTripsWithoutAPassphraseAndIsNeverReplaced) {
  ASSERT_TRUE(write_owner_keys(path_, keys(), std::nullopt, Existing::Refuse));
  bool asked = false;
  const auto back = read_owner_keys(path_, [&](const std::string&) {
    asked = true;
    return std::string();
  });
  ASSERT_TRUE(back);
  EXPECT_FALSE(asked);
  EXPECT_EQ(back->bundle(), keys().bundle());
  EXPECT_EQ(back->id(), keys().id());
  EXPECT_EQ(write_owner_keys(path_, keys(), std::nullopt, Existing::Refuse).error().code,
            ErrorCode::AlreadyExists);
}

TEST_F(OwnerKeyFile, APassphraseSealsTheSecretAndBindsWhatStandsAbove) {
  ASSERT_TRUE(write_owner_keys(path_, keys(), "open sesame", Existing::Refuse, kCheap));
  const auto shown = read_public_owner_keys(path_);
  ASSERT_TRUE(shown);
  EXPECT_TRUE(shown->is_protected);
  EXPECT_EQ(shown->bundle, keys().bundle());
  const auto back =
      read_owner_keys(path_, [](const std::string&) { return std::string("open sesame"); });
  ASSERT_TRUE(back);
  EXPECT_EQ(back->secret_bytes(), keys().secret_bytes());
  EXPECT_EQ(text().find(to_hex(keys().secret_bytes())), std::string::npos);

  EXPECT_EQ(refusal("open sesam"), ErrorCode::PermissionDenied);
  // Another owner's id above the same secret.
  std::string forged = text();
  const std::size_t id = forged.find("owner ") + 6;
  forged[id] = forged[id] == '0' ? '1' : '0';
  put(forged);
  EXPECT_EQ(refusal("open sesame"), ErrorCode::PermissionDenied);
}

TEST_F(OwnerKeyFile, WritingTwiceWithOnePassphraseTakesTwoSalts) {
  ASSERT_TRUE(write_owner_keys(path_, keys(), "open sesame", Existing::Refuse, kCheap));
  const std::string first = text();
  ASSERT_TRUE(write_owner_keys(path_, keys(), "open sesame", Existing::Replace, kCheap));
  EXPECT_NE(text(), first);
}

TEST_F(OwnerKeyFile, EveryDamageIsRefusedAsCorruptAndTheFileIsKept) {
  ASSERT_TRUE(write_owner_keys(path_, keys(), std::nullopt, Existing::Refuse));
  const std::string good = text();
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string changed = good;
    return changed.replace(changed.find(from), from.size(), to);
  };
  std::string wrong_secret = good;  // a nibble of the Ed25519 seed
  char& nibble = wrong_secret[good.find("secret ") + 7];
  nibble = nibble == '0' ? '1' : '0';
  for (const std::string& bad :
       {std::string(), good.substr(0, good.size() - 1), good + "x\n", replaced("key 1", "key 2"),
        replaced("protection none", "protection rot13"),
        replaced("protection none", "protection argon2id 3 4294967295 " + std::string(32, '0')),
        replaced("bundle 03", "bundle 02"), replaced("owner ", "owner x"), wrong_secret,
        std::string(40'000, 'a')}) {
    put(bad);
    EXPECT_TRUE(refusal().has_value()) << bad.substr(0, 80);
    EXPECT_NE(refusal(), ErrorCode::PermissionDenied) << bad.substr(0, 80);
    EXPECT_EQ(text(), bad);
  }
}

TEST_F(OwnerKeyFile, AFileThatOthersMayReadIsRefused) {
  ASSERT_TRUE(write_owner_keys(path_, keys(), std::nullopt, Existing::Refuse));
  ::chmod(path_.c_str(), 0640);
  EXPECT_EQ(refusal(), ErrorCode::PermissionDenied);
}

TEST_F(OwnerKeyFile, ThePublicFormHoldsNoSecret) {
  const std::string text = format_public_owner_keys({keys().id(), keys().bundle(), false});
  EXPECT_NE(text.find(keys().id().to_string()), std::string::npos);
  EXPECT_EQ(text.find("secret"), std::string::npos);
  EXPECT_EQ(text.find(to_hex(keys().ed25519().seed())), std::string::npos);
}

}  // namespace
}  // namespace hm::files
