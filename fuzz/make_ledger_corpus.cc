// SPDX-License-Identifier: Apache-2.0
// Writes the seeds of fuzz_operation and fuzz_state anew after their encoding has changed:
//   build/release/make_ledger_corpus fuzz/corpus
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <tuple>
#include <vector>

#include "core/ledger/sample_lent.h"

namespace {

using namespace hm;
using namespace hm::ledger;
using sample::key;
using sample::Market;
using sample::node_id;
using sample::owner_id;

void write(const std::filesystem::path& folder, std::string_view name, const Bytes& bytes) {
  std::ofstream out(folder / name, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  HM_CHECK(out.good());
}

struct Row {
  Bytes key;
  Bytes value;
  static constexpr auto fields(auto& self) { return std::tie(self.key, self.value); }
};

void write_state(const std::filesystem::path& folder, std::string_view name, const Ledger& ledger) {
  std::vector<Row> rows;
  for (StateEntry& entry : ledger.export_state()) {
    rows.push_back({std::move(entry.key), std::move(entry.value)});
  }
  write(folder, name, codec::encode(rows));
}

RecordFederation federation(const sample::Chain& chain) {
  const privacy::MeshRoot ours{chain.id(), "sample", owner_id(0), sample::bundle(0)};
  privacy::MeshRoot theirs{chain.id(), "other", owner_id(1), sample::bundle(1)};
  theirs.chain.bytes.fill(0xff);
  const privacy::Federation made{ours, theirs, UnixMillis{sample::kGenesisTime + sample::kDay}};
  const auto statement = privacy::federation_statement(made);
  return {made, sample::signed_by(0, statement), sample::signed_by(1, statement)};
}

RotateKeys rotation(const sample::Chain& chain) {
  const auto sequence = chain.ledger().next_sequence(owner_id(0)).value();
  return {identity::sign_rotation(sample::owner(0), sample::owner(60),
                                  {chain.id(), owner_id(0), sequence}, 5,
                                  {sample::fixed_randomness(1), sample::fixed_randomness(2)})};
}

// One of each action by owner 0, each of which would be applied.
std::vector<Action> actions(const sample::LendingChain& at) {
  const sample::Chain& chain = at.market.chain();
  const Market& market = at.market;
  auto fewer = sample::lent_terms(6);
  const auto ours = node_id(key(1000));
  const auto theirs = node_id(key(1001));
  privacy::Grant another = at.grant;
  another.number = 1;
  another.to = privacy::ToGroup{market.group_id(0, "lab")};
  another.hours = privacy::Hours{540, 480};
  another.expiry = UnixMillis{sample::kGenesisTime + sample::kDay};
  const auto context = identity::binding_context(chain.id());
  return {
      RegisterOwner{"newcomer", sample::bundle(50), caesar::caes(5), caesar::caes(1)},
      RegisterNode{sample::binding(0, 1050, context, "node-x")},
      RegisterAsset{market.id(9), ours, sample::terms()},
      UpdateAsset{at.lent, 1, fewer},
      TransferAsset{at.unused, 1, owner_id(1)},
      RetireAsset{at.lent, 1},
      TransferCaes{owner_id(1), caesar::caes(1)},
      rotation(chain),
      market.signed_grant(another),
      RevokeGrant{owner_id(0), at.given},
      SetGroup{"lab", 1, {privacy::CertificatePattern{owner_id(1), "*.lab.org"}}},
      at.certificate(2 * sample::kDay),
      federation(chain),
      CommitVault{ours, crypto::sha256(Bytes{2})},
      Market::request({{at.lent, std::nullopt}, {at.others, at.got}}),
      AcceptLease{at.asked_of_us},
      DeclineLease{at.asked_of_us},
      RenewLease{at.to_us, 60'000},
      CloseLease{at.to_us},
      ReclaimLease{at.from_us, Notice::AsGranted},
      MeterLease{market.reading(at.from_us, 1, 7'000, 6'000)},
      SettleLease{at.from_us},
      Bond{caesar::caes(1)},
      Unbond{caesar::caes(1)},
      Delegate{theirs, caesar::caes(1)},
      Undelegate{theirs, 1'000},
      Market::disagreement({market.result(at.runs[0], 1002, 1), market.result(at.runs[1], 1003, 2),
                            market.result(at.runs[2], 1001, 1)}),
      SetAllowance{ours, caesar::caes(5)},
      CommitStorage{ours, 2, crypto::sha256(Bytes{3}), crypto::sha256(Bytes{4})}};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_ledger_corpus CORPUS_FOLDER\n");
    return 2;
  }
  const std::filesystem::path corpus = argv[1];
  const sample::LendingChain at;
  const sample::Chain& chain = at.market.chain();
  for (const Action& action : actions(at)) {
    const auto operation = sign(chain.operation(owner_id(0), action), key(0));
    write(corpus / "operation", name_of(action), codec::encode(operation));
  }
  const RegisterAsset by_node{at.market.id(9), node_id(key(1000)), sample::terms()};
  write(corpus / "operation", "register_asset_by_node",
        codec::encode(sign(chain.operation(node_id(key(1000)), by_node), key(1000))));

  sample::Chain small(sample::genesis(1));
  write_state(corpus / "state", "genesis", small.ledger());
  small.block({small.by_owner(
      0, RegisterAsset{sample::asset_id(small.id(), 1), node_id(key(1000)), sample::terms()})});
  write_state(corpus / "state", "one_asset", small.ledger());
  write_state(corpus / "state", "lending", chain.ledger());
  return 0;
}
