// SPDX-License-Identifier: Apache-2.0
// The files and codes that the program writes and reads back: genesis, node and mesh files,
// invitations.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "apps/hypermesh/asset_terms.h"
#include "apps/hypermesh/federation_file.h"
#include "apps/hypermesh/genesis_file.h"
#include "apps/hypermesh/join_code.h"
#include "apps/hypermesh/log_rotation.h"
#include "apps/hypermesh/mesh_file.h"
#include "apps/hypermesh/node_config.h"
#include "core/identity/node_binding.h"

namespace hm::cli {
namespace {

crypto::SigningKey key_of(std::uint8_t fill) {
  std::array<std::uint8_t, crypto::SigningKey::kSeedSize> seed{};
  seed.fill(fill);
  return crypto::SigningKey::from_seed(seed);
}

ledger::Genesis genesis_of_one() {
  ledger::Genesis genesis;
  genesis.chain_name = "test";
  genesis.preset = ledger::Preset::Localhost;
  genesis.time = UnixMillis(1'700'000'000'000);
  const auto owner =
      identity::OwnerKeys::generate(identity::OwnerSeeds(), falcon::Arithmetic::Hardware);
  const auto context = identity::genesis_binding_context("test", genesis.time.value);
  const identity::NodeBinding node =
      identity::bind_node(owner, key_of(2), context, "node1", falcon::SigningRandomness());
  genesis.owners.push_back({"alice", owner.bundle(), caesar::caes(5), caesar::caes(10)});
  genesis.validators.push_back({node.node(), caesar::caes(7)});
  genesis.root = node.owner;
  genesis.economy = ledger::economy_of(genesis.preset);
  genesis.economy.demurrage_ppm_per_day = 100;
  genesis.economy.starter_pool = caesar::caes(9);
  genesis.nodes.push_back(node);
  return genesis;
}

TEST(GenesisFile, RoundTripsToTheSameChain) {
  const ledger::Genesis genesis = genesis_of_one();
  const auto back = parse_genesis(format_genesis(genesis), "genesis.toml");
  ASSERT_TRUE(back) << back.error().message << " " << back.error().detail;
  EXPECT_EQ(*back, genesis);
  EXPECT_EQ(ledger::chain_id(*back), ledger::chain_id(genesis));
}

TEST(GenesisFile, EveryFaultIsRefusedAndNamed) {
  const std::string good = format_genesis(genesis_of_one());
  const auto replaced = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"[[[", "TOML"},
      {good + "# caf\xc3\xa9\n", "ASCII"},
      {"S\xc7\xa9", "ASCII"},
      {replaced("preset = \"localhost\"", "preset = \"lax\""), "preset"},
      {replaced("owner = \"alice\"", "owner = \"bob\""), "bob"},
      {replaced("balance = \"5\"", "balance = \"-5\""), "balance"},
      {replaced("stake = \"7\"", "stake = 7"), "stake"},
      {replaced("chain_name", "chain_nam"), "chain_nam"},
      {replaced("time_ms = 1700000000000", "time_ms = -1"), "time_ms"},
      {good + "surprise = 1\n", "surprise"},
      {replaced("stake = \"7\"", "stake = \"70\""), "genesis"},
      {replaced("time_ms = 1700000000000", "time_ms = 1700000000001"), "genesis"},
  };
  for (const auto& [text, word] : cases) {
    const auto refused = parse_genesis(text, "genesis.toml");
    ASSERT_FALSE(refused) << word;
    const std::string told = refused.error().message + refused.error().detail;
    EXPECT_NE(told.find(word), std::string::npos) << told;
    EXPECT_NE(told.find("genesis.toml"), std::string::npos) << told;
  }
}

TEST(NodeConfig, RoundTrips) {
  NodeConfig config;
  config.name = "node1";
  config.api_port = 1234;
  config.stoq_bind = stoq::Address::parse("[2001:db8::1]:9292").value();
  config.stoq_advertised = {stoq::Address::parse("[2001:db8::2]:99").value()};
  config.share_percent = 25;
  config.level = assets::PrivacyLevel::Private;
  config.widest_network = privacy::NetworkClass::Mesh;
  config.activity.idle_after = std::chrono::seconds(90);
  config.activity.busy_load = 400;
  config.activity.busy_io = {};
  config.activity.input = activity::InputUse::Ignored;
  config.peers.push_back({identity::node_id_of(key_of(3).public_key()),
                          {stoq::Address::loopback(5), stoq::Address::loopback(6)}});
  const auto back = parse_node_config(format_node_config(config), "node.toml");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, config);
}

TEST(NodeConfig, RefusesUnknownKeysBadPortsAndForeignAddresses) {
  for (const char* bad :
       {"name = 'Node'", "name = 'n'\nextra = 1", "name = 'n'\n[api]\nport = 70000",
        "name = 'n'\n[api]\nport = 0", "name = 'n'\n[stoq]\nbind = '127.0.0.1:9292'",
        "name = 'n'\n[stoq]\nbind = '[::ffff:1.2.3.4]:9292'",
        "name = 'n'\n[hardware]\nshare_percent = 101", "name = 'n'\n[[peer]]\nnode = 'xy'",
        "name = 'n'\n[hardware]\nlevel = 'p2p'", "name = 'n'\n[lending]\nwidest_network = 'lan'",
        "name = 'n'\n[activity]\nidle_after_seconds = 9",
        "name = 'n'\n[activity]\nbusy_load_percent = 0", "name = 'n'\n[api]\nhost = 'x'"}) {
    EXPECT_FALSE(parse_node_config(bad, "node.toml")) << bad;
  }
  EXPECT_TRUE(parse_node_config("name = 'n'", "node.toml"));
}

TEST(MeshFile, RoundTripsAndRefusesWhatIsNone) {
  const MeshFile mesh{"abc", {{"node1", "owner1", 7, "http://[::1]:1", "[::1]:2", "/x/node1"}}};
  EXPECT_EQ(parse_mesh_file(format_mesh_file(mesh), "mesh.json").value(), mesh);
  for (const char* bad :
       {"", "{}", "[]", "{\"nodes\": 5}", "{\"nodes\": [1]}", "{\"nodes\": [{}]}"}) {
    EXPECT_FALSE(parse_mesh_file(bad, "mesh.json")) << bad;
  }
}

JoinCode code_of_one() {
  JoinCode code;
  code.address = stoq::Address::parse("[2001:db8::1]:9292").value();
  code.fingerprint.fill(0xab);
  code.secret.fill(0x17);
  return code;
}

TEST(JoinCode, RoundTripsAndEveryMistypedCharacterIsNoticed) {
  const std::string text = format_join_code(code_of_one());
  EXPECT_EQ(parse_join_code(text).value(), code_of_one());
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string bad = text;
    bad[i] = bad[i] == 'a' ? 'b' : 'a';
    EXPECT_FALSE(parse_join_code(bad)) << i;
    EXPECT_FALSE(parse_join_code(text.substr(0, i))) << i;
  }
  EXPECT_FALSE(parse_join_code(text + "a"));
}

TEST(JoinCode, SealedWordsOpenOnlyForTheirStepDirectionAndSecret) {
  InvitationSecret secret{};
  InvitationSecret other{};
  other[0] = 1;
  const Bytes sealed = seal_for(secret, Direction::ToInviter, 1, as_bytes("hello"));
  EXPECT_EQ(open_from(secret, Direction::ToInviter, 1, sealed), to_bytes(as_bytes("hello")));
  EXPECT_FALSE(open_from(secret, Direction::ToInviter, 2, sealed));
  EXPECT_FALSE(open_from(secret, Direction::ToJoiner, 1, sealed));
  EXPECT_FALSE(open_from(other, Direction::ToInviter, 1, sealed));
  EXPECT_FALSE(open_from(secret, Direction::ToInviter, 1, ByteView(sealed).first(5)));
  EXPECT_NE(invitation_id_of(secret), invitation_id_of(other));
}

TEST(LogRotation, FullLogBecomesTheSecondAndAnotherFileIsLeftAlone) {
  std::string folder = (std::filesystem::temp_directory_path() / "hm-log-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/log";
  const auto text_of_file = [](const std::string& name) {
    std::ifstream in(name);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  std::ofstream(path) << "0123456789";
  EXPECT_FALSE(rotate_log_if_full(path, 1));  // not where standard error goes
  const int kept_out = ::dup(STDOUT_FILENO);
  const int kept_err = ::dup(STDERR_FILENO);
  std::fflush(stdout);
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND);
  ::dup2(fd, STDERR_FILENO);
  const bool early = rotate_log_if_full(path, 11);
  const bool full = rotate_log_if_full(path, 10);
  const bool written = ::write(STDERR_FILENO, "new", 3) == 3;
  ::dup2(kept_out, STDOUT_FILENO);
  ::dup2(kept_err, STDERR_FILENO);
  for (const int open : {kept_out, kept_err, fd}) ::close(open);
  EXPECT_FALSE(early);
  EXPECT_TRUE(full);
  EXPECT_TRUE(written);
  EXPECT_EQ(text_of_file(path), "new");
  EXPECT_EQ(text_of_file(path + ".1"), "0123456789");
  std::filesystem::remove_all(folder);
}

// Keys are found once: Falcon's take long.
struct TwoRoots {
  identity::OwnerKeys keys =
      identity::OwnerKeys::generate(identity::OwnerSeeds(), falcon::Arithmetic::Hardware);
  FederationDraft draft;
  TwoRoots() {
    draft.federation.first = {identity::ChainId{}, "north", keys.id(), keys.bundle()};
    draft.federation.second = draft.federation.first;
    draft.federation.second.chain.bytes.fill(9);
    draft.federation.second.name = "south";
    draft.federation.expiry = UnixMillis(1'900'000'000'000);
  }
  void sign_second() {
    draft.second =
        keys.sign(privacy::federation_statement(draft.federation), falcon::SigningRandomness());
  }
};

TEST(FederationFile, RoundTripsUnsignedHalfSignedAndAsOneRoot) {
  TwoRoots roots;
  for (int signatures = 0; signatures < 2; ++signatures) {
    const FederationFile file = roots.draft;
    const auto back = parse_federation_file(format_federation_file(file), "record.toml");
    ASSERT_TRUE(back) << back.error().message << " " << back.error().detail;
    EXPECT_EQ(*back, file);
    roots.sign_second();
  }
  const FederationFile root = roots.draft.federation.second;
  EXPECT_EQ(parse_federation_file(format_federation_file(root), "root.toml").value(), root);
  EXPECT_NE(fingerprint_of(roots.draft.federation.first), "");
}

TEST(FederationFile, EveryFaultIsRefusedAndNamed) {
  TwoRoots roots;
  roots.sign_second();
  const std::string good = format_federation_file(roots.draft);
  const auto replaced = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"[[[", "TOML"},
      {replaced("hypermesh-federation 1", "hypermesh-federation 2"), "format"},
      {replaced("hypermesh-federation 1", "hypermesh-mesh-root 1"), "mesh"},
      {replaced("expiry_ms = 1900000000000", "expiry_ms = 1900000000001"), "verify"},
      {replaced("expiry_ms = ", "expiry_m = "), "expiry_m"},
      {replaced("name = \"south\"", "name = \"west\""), "verify"},
      {replaced("name = \"south\"", "name = \"South\""), "name"},
      {replaced("chain = \"0000", "chain = \"ffff"), "wrong_order"},
      {replaced("chain = \"0000", "chain = \"00"), "chain"},
      {replaced("ed25519 = \"", "ed25519 = \"00"), "wrong size"},
      {replaced("falcon_signature = \"", "falcon_signature = \"00"), "falcon_signature"},
      {replaced("falcon_signature", "falcon_signatur"), "falcon_signatur"},
      {good + "surprise = 1\n", "surprise"},
      {good.substr(0, good.rfind("[[mesh]]")), "twice"},
  };
  for (const auto& [text, word] : cases) {
    const auto refused = parse_federation_file(text, "record.toml");
    ASSERT_FALSE(refused) << word;
    const std::string told = refused.error().message + " " + refused.error().detail;
    EXPECT_NE(told.find(word), std::string::npos) << word << ": " << told;
    EXPECT_NE(told.find("record.toml"), std::string::npos) << told;
  }
}

TEST(AssetTerms, OptionsChangeWhatTheyNameAndKeepTheOrderOfQuantities) {
  assets::AssetTerms terms = new_terms(assets::AssetKind::Memory);
  terms.quantity = {100, 80, 80, "bytes"};
  AssetTermsOptions options;
  options.offered = "50";
  options.state = "maintenance";
  options.price = "0.5";
  options.fields = {"ecc=true", "slots=4", "vendor=acme"};
  const auto changed = apply_terms(terms, options);
  ASSERT_TRUE(changed) << changed.error().what;
  EXPECT_EQ(changed->quantity.offered, 50u);
  EXPECT_EQ(changed->quantity.available, 50u);
  EXPECT_EQ(changed->state, assets::AssetState::Maintenance);
  EXPECT_EQ(changed->descriptor.at("slots"), assets::DescriptorValue(std::uint64_t{4}));
  EXPECT_EQ(changed->descriptor.at("ecc"), assets::DescriptorValue(true));
  options.offered = "101";
  EXPECT_FALSE(apply_terms(terms, options));
  options.offered = "50";
  options.level = "private";
  EXPECT_FALSE(apply_terms(terms, options));
}

}  // namespace
}  // namespace hm::cli
