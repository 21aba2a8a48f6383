// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/api/text.h"
#include "core/ledger/row_key.h"
#include "node/http_api/api_fixture.h"

namespace hm::http_api {
namespace {

using nlohmann::json;
using ports::HttpMethod;
using ports::HttpRequest;
using testing::HasSubstr;
namespace sample = ledger::sample;

constexpr std::uint32_t kProvider = 0;
constexpr std::uint32_t kTenant = 1;
constexpr std::uint32_t kOther = 2;

// Owner 0 lends from this node, owner 1 asks.
class LendingApiTest : public fixture::ApiTest {
 protected:
  LendingApiTest() : ApiTest(3) {}

  static json sealed(const ledger::SignedOperation& operation) {
    return {{"signed", api::to_base64(codec::encode(operation))}};
  }

  // The node's own word, final.
  void by_node(ledger::Action action) {
    bool done = false;
    api_->author().submit({.action = std::move(action), .proofs = {}},
                          [&](const OperationOutcome& outcome) {
                            done = true;
                            const auto* receipt = std::get_if<node::FinalReceipt>(&outcome);
                            ASSERT_NE(receipt, nullptr);
                            EXPECT_FALSE(receipt->receipt.refused);
                          });
    for (int i = 0; i < 1000 && !done; ++i) mesh_.world().advance(std::chrono::milliseconds(1));
    ASSERT_TRUE(done);
  }
  void by_owner(std::uint32_t seed, ledger::Action action) {
    const auto answer = send(raw(signed_by(seed, std::move(action))));
    ASSERT_EQ(answer->response->status, 200) << answer->response->body;
  }

  privacy::GrantId grant_to(privacy::Grantee to, std::uint64_t number = 1) {
    privacy::Grant grant;
    grant.owner = sample::owner_id(kProvider);
    grant.issuer = grant.owner;
    grant.number = number;
    grant.to = std::move(to);
    grant.share_percent = 100;
    grant.price = caesar::Price{caesar::caes(1), 1};
    return add_grant(kProvider, grant);
  }
  privacy::GrantId add_grant(std::uint32_t issuer, const privacy::Grant& grant) {
    const privacy::GrantId id = privacy::grant_id(mesh_.node().chain_id(), grant);
    by_owner(issuer,
             ledger::AddGrant{grant, sample::owner(issuer).sign(privacy::grant_statement(id),
                                                                sample::fixed_randomness())});
    return id;
  }

  // A quarter of each asset, which its grantee may pass on.
  privacy::GrantId passable_grant(privacy::Grantee to) {
    passable_ = {};
    passable_.owner = passable_.issuer = sample::owner_id(kProvider);
    passable_.to = std::move(to);
    passable_.share_percent = 25;
    passable_.price = caesar::Price{caesar::caes(1), 1};
    passable_.delegations = 1;
    return add_grant(kProvider, passable_);
  }
  // By the tenant, to the third owner.
  privacy::GrantId pass_on(const privacy::GrantId& parent) {
    privacy::Grant grant = passable_;
    grant.issuer = sample::owner_id(kTenant);
    grant.parent = parent;
    grant.to = privacy::ToOwner{sample::owner_id(kOther)};
    grant.delegations = 0;
    return add_grant(kTenant, grant);
  }

  ledger::OpenLease ask_for(const std::string& asset, const privacy::GrantId& grant,
                            std::uint64_t quantity = 2) {
    ledger::OpenLease open;
    open.choices = {{*assets::AssetId::parse(mesh_.node().chain_id(), asset), grant}};
    open.quantity = quantity;
    open.duration_ms = 3'600'000;
    open.highest_price = caesar::Price{caesar::caes(2), 1};
    return open;
  }
  json allocate(const std::string& asset, const privacy::GrantId& grant) {
    return do_post("/api/v1/assets/" + asset + "/allocate",
                   sealed(signed_by(kTenant, ask_for(asset, grant))).dump(), 201, "");
  }
  static ledger::LeaseId lease_id(const json& lease) {
    return *ledger::LeaseId::parse(lease["id"].get<std::string>());
  }

  // A CPU of this node under a grant to the tenant, and an active lease of two of its four.
  void lend() {
    asset_ = register_cpu();
    grant_ = grant_to(privacy::ToOwner{sample::owner_id(kTenant)});
    lease_ = lease_id(allocate(asset_, grant_));
    by_node(ledger::AcceptLease{lease_});
  }
  // Both sides say that the whole first interval was delivered.
  void meter() {
    const std::uint64_t length = mesh_.node().ledger().policy().meter_interval_ms;
    mesh_.world().advance(std::chrono::milliseconds(length));
    // A reading is judged at the time of the last block.
    by_owner(kOther, payment());
    const auto total = [&](const crypto::SigningKey& key, std::uint64_t used) {
      const auto statement =
          ledger::meter_statement(mesh_.node().chain_id(), lease_, 0, 0, length, used);
      return ledger::SignedTotal{length, used, key.public_key(), key.sign(statement.bytes)};
    };
    by_node(ledger::MeterLease{{.lease = lease_,
                                .placement = 0,
                                .interval = 0,
                                .provider = total(mesh_.node().key(), 5),
                                .tenant = total(sample::key(kTenant), 3)}});
    by_node(ledger::SettleLease{lease_});
  }

  json ask(const std::string& path, const json& body, std::uint16_t status = 200) {
    return do_post("/api/v1/" + path, body.dump(), status, "");
  }
  json order(const std::string& path, const json& body, std::uint16_t status = 200) {
    return do_post("/api/v1/" + path, body.dump(), status);
  }

  privacy::Grant passable_;
  std::string asset_;
  privacy::GrantId grant_;
  ledger::LeaseId lease_;
};

TEST_F(LendingApiTest, GrantsAreListedByWhomTheyMeanAndShownByPrefix) {
  const auto to_one = grant_to(privacy::ToOwner{sample::owner_id(kTenant)}, 1);
  grant_to(privacy::ToOwner{identity::OwnerId{}}, 2);
  grant_to(privacy::ToAnyone{}, 3);
  EXPECT_EQ(get("/api/v1/privacy/grants")["total"], 3);
  EXPECT_EQ(get("/api/v1/privacy/grants", {{"owner", "owner-1"}})["total"], 0);
  EXPECT_EQ(get("/api/v1/privacy/grants", {{"owner", "self"}, {"issuer", "owner-0"}})["total"], 3);
  EXPECT_EQ(get("/api/v1/privacy/grants", {{"to", "owner-1"}})["total"], 2);
  std::string cursor;
  std::set<std::string> seen;
  for (int i = 0; i < 3; ++i) {
    std::vector<std::pair<std::string, std::string>> query{{"limit", "1"}};
    if (!cursor.empty()) query.emplace_back("cursor", cursor);
    const json page = get("/api/v1/privacy/grants", query);
    ASSERT_EQ(page["grants"].size(), 1U);
    seen.insert(page["grants"][0]["id"].get<std::string>());
    cursor = page["next_cursor"].is_null() ? "" : page["next_cursor"].get<std::string>();
  }
  EXPECT_EQ(seen.size(), 3U);
  EXPECT_EQ(cursor, "");
  const json grant = get("/api/v1/privacy/grants/" + to_one.to_string().substr(0, 12));
  EXPECT_EQ(grant["id"], to_one.to_string());
  EXPECT_EQ(grant["grant"]["to"]["owner"], sample::owner_id(kTenant).to_string());
  get("/api/v1/privacy/grants/ffffffff", {}, 404);
  get("/api/v1/privacy/grants", {{"cursor", "00"}}, 400);
  get("/api/v1/privacy/grants", {{"to", "nobody"}}, 404);
}

TEST_F(LendingApiTest, ADecisionNamesTheGrantThatAllowsOrTheRuleThatDenies) {
  const std::string asset = register_cpu();
  json question{{"requester", "owner-1"}, {"asset", asset}, {"quantity", 2}};
  EXPECT_EQ(ask("privacy/decide", question)["rule"], "no_grant");
  const auto grant = grant_to(privacy::ToOwner{sample::owner_id(kTenant)});
  const json allowed = ask("privacy/decide", question);
  EXPECT_EQ(allowed["allowed"], true);
  EXPECT_EQ(allowed["grant"], grant.to_string());
  EXPECT_EQ(allowed["price"], "1");
  question["highest_price"] = "0.5";
  const json denied = ask("privacy/decide", question);
  EXPECT_EQ(denied["allowed"], false);
  EXPECT_EQ(denied["rule"], "price_too_high");
  EXPECT_THAT(denied["message"].get<std::string>(), HasSubstr("CAES"));
  EXPECT_EQ(ask("privacy/decide", {{"requester", "owner-0"}, {"asset", asset}})["price"], "0");
  EXPECT_EQ(
      ask("privacy/decide", {{"requester", "owner-1"}, {"asset", asset}, {"quantity", 5}})["rule"],
      "not_enough_free");
}

TEST_F(LendingApiTest, ADecisionKnowsTheGroupsThatTheLedgerKeeps) {
  const std::string asset = register_cpu();
  const auto group =
      privacy::group_id(mesh_.node().chain_id(), sample::owner_id(kProvider), "friends");
  by_owner(kProvider, ledger::SetGroup{"friends", 0, {}});
  grant_to(privacy::ToGroup{group});
  const json question{{"requester", "owner-1"}, {"asset", asset}};
  EXPECT_EQ(ask("privacy/decide", question)["rule"], "not_the_grantee");
  by_owner(kProvider,
           ledger::SetGroup{"friends", 1, {privacy::ToOwner{sample::owner_id(kTenant)}}});
  EXPECT_EQ(ask("privacy/decide", question)["allowed"], true);
  const json listed = get("/api/v1/privacy/groups", {{"owner", "owner-0"}});
  EXPECT_EQ(listed["groups"][0]["id"], group.to_string());
  EXPECT_EQ(get("/api/v1/privacy/groups/" + group.to_string())["version"], 2);
  EXPECT_EQ(get("/api/v1/privacy/grants", {{"to", "owner-1"}})["total"], 1);
}

TEST_F(LendingApiTest, AGrantThatWasPassedOnEndsWithTheOneBefore) {
  const std::string asset = register_cpu();
  const auto parent = passable_grant(privacy::ToOwner{sample::owner_id(kTenant)});
  const auto child = pass_on(parent);
  const json question{{"requester", "owner-2"}, {"asset", asset}};
  EXPECT_EQ(ask("privacy/decide", question)["grant"], child.to_string());
  by_owner(kProvider, ledger::RevokeGrant{sample::owner_id(kProvider), parent});
  EXPECT_EQ(ask("privacy/decide", question)["rule"], "no_grant");
}

TEST_F(LendingApiTest, AGrantThatWasPassedOnEndsWhenItsIssuerIsNoLongerMeant) {
  const std::string asset = register_cpu();
  const auto group =
      privacy::group_id(mesh_.node().chain_id(), sample::owner_id(kProvider), "friends");
  by_owner(kProvider,
           ledger::SetGroup{"friends", 0, {privacy::ToOwner{sample::owner_id(kTenant)}}});
  pass_on(passable_grant(privacy::ToGroup{group}));
  const json question{{"requester", "owner-2"}, {"asset", asset}};
  EXPECT_EQ(ask("privacy/decide", question)["allowed"], true);
  by_owner(kProvider,
           ledger::SetGroup{"friends", 1, {privacy::ToOwner{sample::owner_id(kProvider)}}});
  EXPECT_EQ(ask("privacy/decide", question)["allowed"], false);
}

TEST_F(LendingApiTest, WhatIsInUseUnderAGrantCountsForWhatWasPassedOnFromIt) {
  const std::string asset = register_cpu();
  const auto parent = passable_grant(privacy::ToOwner{sample::owner_id(kTenant)});
  pass_on(parent);
  const json question{{"requester", "owner-2"}, {"asset", asset}, {"quantity", 1}};
  EXPECT_EQ(ask("privacy/decide", question)["allowed"], true);
  allocate(asset, parent);  // two of eight: all that a quarter is
  const json denied = ask("privacy/decide", question);
  EXPECT_EQ(denied["rule"], "share_exceeded");
  EXPECT_EQ(denied["grant"], parent.to_string());
  EXPECT_EQ(denied["given"], 3);
  EXPECT_EQ(denied["wanted"], 2);
}

TEST_F(LendingApiTest, AMalformedQuestionIsRefusedByTheFieldThatIsWrong) {
  const auto field = [&](const char* path, const json& body) {
    return ask(path, body, 400)["error"]["details"]["field"].get<std::string>();
  };
  EXPECT_EQ(field("privacy/decide", {{"asset", "x"}}), "requester");
  EXPECT_EQ(field("privacy/decide", {{"requester", "owner-1"}}), "asset");
  const json base{{"requester", "owner-1"}, {"asset", "x"}};
  for (const auto& [name, bad] : {std::pair<std::string, json>{"action", "eat"},
                                  {"quantity", 0},
                                  {"quantity", -1},
                                  {"duration_ms", 0},
                                  {"network", "moon"},
                                  {"highest_price", 1},
                                  {"colour", "red"}}) {
    json body = base;
    body[name] = bad;
    EXPECT_EQ(field("privacy/decide", body), name) << bad;
  }
  EXPECT_EQ(field("leases/plan", {{"filter", "kind=cpu"}}), "tenant");
  EXPECT_EQ(field("leases/plan", {{"tenant", "owner-1"}, {"filter", "kind=toaster"}}), "filter");
  EXPECT_EQ(field("leases/plan", {{"tenant", "owner-1"}, {"explain", 1}}), "explain");
  ask("privacy/decide", {{"requester", "nobody"}, {"asset", "x"}}, 404);
}

TEST_F(LendingApiTest, ALeaseIsOpenedOnAnAssetAndTheAssetSaysSo) {
  const std::string asset = register_cpu();
  const auto grant = grant_to(privacy::ToOwner{sample::owner_id(kTenant)});
  const json lease = allocate(asset, grant);
  EXPECT_EQ(lease["state"], "requested");
  EXPECT_EQ(lease["status"], "applied");
  EXPECT_EQ(lease["escrow"], "4");
  json shown = get("/api/v1/assets/" + asset);
  EXPECT_EQ(shown["state"], "allocated");
  EXPECT_EQ(shown["quantity"]["available"], 2);
  EXPECT_EQ(shown["quantity"]["leased"], 2);
  by_node(ledger::AcceptLease{lease_id(lease)});
  EXPECT_EQ(get("/api/v1/assets/" + asset)["state"], "in_use");
  EXPECT_EQ(get("/api/v1/assets", {{"state", "in_use"}})["total"], 1);
  EXPECT_EQ(get("/api/v1/assets", {{"state", "available"}})["total"], 0);
  EXPECT_EQ(get("/api/v1/privacy/grants/" + grant.to_string())["use"]["open_leases"], 1);
}

TEST_F(LendingApiTest, OnlyWhatConcernsTheAssetIsTakenThere) {
  lend();
  const std::string other = register_cpu();
  const auto open = sealed(signed_by(kTenant, ask_for(asset_, grant_))).dump();
  const auto close = sealed(signed_by(kTenant, ledger::CloseLease{lease_})).dump();
  do_post("/api/v1/assets/" + other + "/allocate", open, 400, "");
  do_post("/api/v1/assets/" + asset_ + "/allocate", close, 400, "");
  do_post("/api/v1/assets/" + other + "/release", close, 400, "");
  do_post("/api/v1/assets/" + asset_ + "/release", open, 400, "");
  do_post("/api/v1/assets/" + asset_ + "/release", R"({"signed":"AAAA"})", 400, "");
  do_post("/api/v1/assets/" + asset_ + "/release", R"({"operation":"AAAA"})", 400, "");
  EXPECT_EQ(do_post("/api/v1/assets/" + asset_ + "/release", close, 200, "")["state"], "closed");
  EXPECT_EQ(get("/api/v1/assets/" + asset_)["quantity"]["leased"], 0);
}

TEST_F(LendingApiTest, LeasesAreListedByWhoIsConcernedAndProven) {
  lend();
  const auto total = [&](const std::string& name, const std::string& value) {
    return get("/api/v1/leases", {{name, value}})["total"].get<int>();
  };
  EXPECT_EQ(total("tenant", "owner-1"), 1);
  EXPECT_EQ(total("tenant", "owner-0"), 0);
  EXPECT_EQ(total("provider", "self"), 1);
  EXPECT_EQ(total("node", "node-0"), 1);
  EXPECT_EQ(total("node", "node-1"), 0);
  EXPECT_EQ(total("asset", asset_), 1);
  EXPECT_EQ(total("state", "active"), 1);
  EXPECT_EQ(total("state", "closed"), 0);
  EXPECT_EQ(total("open", "true"), 1);
  EXPECT_EQ(total("open", "false"), 0);
  get("/api/v1/leases", {{"open", "yes"}}, 400);
  get("/api/v1/leases", {{"state", "happy"}}, 400);
  const json lease = get("/api/v1/leases/" + lease_.to_string().substr(0, 8), {{"proof", "1"}});
  EXPECT_EQ(lease["id"], lease_.to_string());
  EXPECT_EQ(lease["state_key"], to_hex(ledger::row_key(ledger::Table::Lease, lease_)));
  EXPECT_EQ(lease["state_proof"]["key"], lease["state_key"]);
  EXPECT_EQ(lease["state_proof"]["root"], mesh_.node().ledger().root().to_string());
  get("/api/v1/leases/ffffffff", {}, 404);
}

TEST_F(LendingApiTest, APlanChoosesAndSaysWhyNotTheOthers) {
  const std::string good = register_cpu();
  const auto grant = grant_to(privacy::ToOwner{sample::owner_id(kTenant)});
  do_post("/api/v1/assets/register", R"({"kind":"memory","quantity":{"detected":8,"offered":8,
          "unit":"bytes"}})",
          201);
  const json request{{"tenant", "owner-1"},
                     {"filter", "kind=cpu"},
                     {"quantity", 2},
                     {"duration_ms", 3'600'000},
                     {"explain", true}};
  const json plan = ask("leases/plan", request);
  ASSERT_EQ(plan["choices"].size(), 1U);
  const json choice = plan["choices"][0];
  EXPECT_EQ(choice["asset"], good);
  EXPECT_EQ(choice["grant"], grant.to_string());
  EXPECT_EQ(choice["price"], "1");
  EXPECT_EQ(choice["cost"], "2");
  EXPECT_EQ(choice["trust"], 500);
  EXPECT_EQ(choice["rtt_us"], 0);
  EXPECT_EQ(plan["highest_price"], "1");
  EXPECT_EQ(plan["escrow"], "2");
  ASSERT_EQ(plan["rejected"].size(), 1U);
  EXPECT_EQ(plan["rejected"][0]["reason"], "wrong_kind");
  EXPECT_EQ(plan["rejected"][0]["node_name"], "node-0");
  EXPECT_EQ(plan["totals"]["free"], 4);

  const json none = ask("leases/plan", {{"tenant", "owner-1"}, {"quantity", 5}});
  EXPECT_TRUE(none["choices"].empty());
  EXPECT_TRUE(none["highest_price"].is_null());
  EXPECT_FALSE(none.contains("rejected"));
}

TEST_F(LendingApiTest, WhatIsPlannedIsWhatTheLedgerTakes) {
  lend();
  const json plan = ask("leases/plan", {{"tenant", "owner-1"}, {"quantity", 2}});
  ASSERT_EQ(plan["choices"].size(), 1U);
  EXPECT_EQ(plan["choices"][0]["free"], 2);
  ledger::OpenLease open = ask_for(plan["choices"][0]["asset"], grant_);
  open.highest_price = *caesar::parse_price(plan["highest_price"].get<std::string>());
  const json lease = do_post("/api/v1/assets/" + asset_ + "/allocate",
                             sealed(signed_by(kTenant, open)).dump(), 201, "");
  EXPECT_EQ(lease["escrow"], plan["escrow"]);
  EXPECT_TRUE(ask("leases/plan", {{"tenant", "owner-1"}, {"quantity", 1}})["choices"].empty());
}

TEST_F(LendingApiTest, WhoUsesThisNodeAndWhatItEarnedIsToldFromTheRecords) {
  lend();
  meter();
  const json who = get("/api/v1/who");
  ASSERT_EQ(who["leases"].size(), 1U);
  const json& row = who["leases"][0];
  EXPECT_EQ(row["tenant_name"], "owner-1");
  EXPECT_EQ(row["asset"], asset_);
  EXPECT_EQ(row["grant"], grant_.to_string());
  EXPECT_NE(row["paid"], "0");

  const json bill = get("/api/v1/caesar/bill/owner-1");
  ASSERT_EQ(bill["lines"].size(), 1U);
  const json& line = bill["lines"][0];
  const std::string key = to_hex(ledger::row_key(ledger::Table::Lease, lease_));
  EXPECT_EQ(line["state_key"], key);
  EXPECT_EQ(line["paid"], row["paid"]);
  EXPECT_EQ(line["counted_ms"], mesh_.node().ledger().policy().meter_interval_ms);
  EXPECT_EQ(line["used"], 3);
  EXPECT_EQ(bill["totals"]["paid"], line["paid"]);
  const json lease = get("/api/v1/leases/" + lease_.to_string());
  EXPECT_EQ(lease["placement"]["provider_used"], 5);
  EXPECT_EQ(lease["placement"]["tenant_used"], 3);
  EXPECT_EQ(lease["placement"]["used"], 3);
  EXPECT_TRUE(get("/api/v1/caesar/bill/owner-0")["lines"].empty());

  const json rewards = get("/api/v1/caesar/rewards/owner-0");
  ASSERT_EQ(rewards["leases"].size(), 1U);
  EXPECT_EQ(rewards["leases"][0]["earned"], row["earned"]);
  EXPECT_EQ(rewards["totals"]["earned"], row["earned"]);
  EXPECT_EQ(rewards["computed_from"]["state_root"], mesh_.node().ledger().root().to_string());
}

TEST_F(LendingApiTest, ABillBeginsWhereItIsAsked) {
  lend();
  by_owner(kTenant, ledger::CloseLease{lease_});
  const std::uint64_t ended = mesh_.node().ledger().lease(lease_)->ends.value;
  const auto lines = [&](std::uint64_t since) {
    return get("/api/v1/caesar/bill/owner-1", {{"since", std::to_string(since)}})["lines"].size();
  };
  EXPECT_EQ(lines(ended), 1U);
  EXPECT_EQ(lines(ended + 1), 0U);
  get("/api/v1/caesar/bill/owner-1", {{"since", "yesterday"}}, 400);
}

TEST_F(LendingApiTest, TheWalletTellsWhatIsInEscrowDelegatedAndOnItsWayBack) {
  lend();
  by_owner(kTenant, ledger::Delegate{mesh_.node().id(), caesar::caes(10)});
  by_owner(kTenant, ledger::Unbond{caesar::caes(3)});
  const json wallet = get("/api/v1/caesar/wallet/owner-1");
  EXPECT_EQ(wallet["escrowed"], "4");
  EXPECT_EQ(wallet["unbonding_entries"][0]["amount"], "3");
  EXPECT_GT(wallet["unbonding_entries"][0]["release_ms"], mesh_.node().ledger().head().time.value);
  EXPECT_EQ(wallet["delegations"][0]["validator"], mesh_.node().id().to_string());
  EXPECT_EQ(wallet["delegations"][0]["worth"], "10");
  EXPECT_EQ(get("/api/v1/wallet/owner-1"), wallet);
  const json staking = get("/api/v1/caesar/staking");
  EXPECT_EQ(staking["total_delegated"], "10");
  EXPECT_EQ(staking["validators"][0]["name"], "node-0");
}

TEST_F(LendingApiTest, ANodeIsShownWithWhatItMaySpendAndALeaseWithTheNodeThatOpenedIt) {
  asset_ = register_cpu();
  grant_ = grant_to(privacy::ToOwner{sample::owner_id(kTenant)});
  const auto node = sample::node_id(sample::key(1000 + kTenant));
  by_owner(kTenant, ledger::SetAllowance{node, caesar::caes(5)});
  const auto allowance = [&] {
    const json nodes = get("/api/v1/nodes")["nodes"];
    for (const json& shown : nodes) {
      if (shown["id"] == node.to_string()) return shown["allowance"].get<std::string>();
    }
    return std::string("(none)");
  };
  EXPECT_EQ(allowance(), "5");

  const auto operation = ledger::sign({.chain_id = mesh_.node().chain_id(),
                                       .actor = node,
                                       .sequence = 1,
                                       .anchor = mesh_.node().ledger().anchor(),
                                       .expiry_height = mesh_.node().ledger().height() + 100,
                                       .action = ask_for(asset_, grant_)},
                                      sample::key(1000 + kTenant));
  const json lease =
      do_post("/api/v1/assets/" + asset_ + "/allocate", sealed(operation).dump(), 201, "");
  EXPECT_EQ(lease["tenant"], sample::owner_id(kTenant).to_string());
  EXPECT_EQ(lease["opened_by"], node.to_string());
  EXPECT_EQ(allowance(), "1");
}

TEST_F(LendingApiTest, ANodeIsShownWithTheLastOfItsStorageCommitments) {
  const auto node = sample::node_id(sample::key(1000 + kTenant));
  const auto shown = [&] {
    const json nodes = get("/api/v1/nodes")["nodes"];
    for (const json& each : nodes) {
      if (each["id"] == node.to_string()) return each;
    }
    return json();
  };
  EXPECT_FALSE(shown().contains("storage_commitment"));
  const crypto::Digest objects = crypto::sha256(Bytes{1});
  const crypto::Digest shards = crypto::sha256(Bytes{2});
  by_owner(kTenant, ledger::CommitStorage{node, 1, objects, objects});
  by_owner(kTenant, ledger::CommitStorage{node, 2, objects, shards});
  const std::uint64_t height = mesh_.node().ledger().storage_commitment(node)->changed_height;
  EXPECT_EQ(shown()["storage_commitment"], (json{{"generation", 2},
                                                 {"objects", objects.to_string()},
                                                 {"shards", shards.to_string()},
                                                 {"height", height}}));
  const json block = get("/api/v1/blocks/" + std::to_string(height));
  EXPECT_EQ(block["receipts"][0]["action"], "commit_storage");
  EXPECT_EQ(block["receipts"][0]["arguments"], (json{{"node", node.to_string()},
                                                     {"generation", 2},
                                                     {"objects", objects.to_string()},
                                                     {"shards", shards.to_string()}}));
}

TEST_F(LendingApiTest, TheSupplyAddsUp) {
  lend();
  const json supply = get("/api/v1/caesar/supply");
  const auto units = [&](const char* part) {
    return caesar::parse_amount(supply["supply"][part].get<std::string>())->value;
  };
  EXPECT_EQ(units("minted") - units("burned"),
            units("balances") + units("escrows") + units("bonds") + units("pools"));
  EXPECT_EQ(supply["supply"]["escrows"], "4");
  const std::uint64_t next = supply["next_emission"]["height"];
  EXPECT_GT(next, mesh_.node().ledger().height());
  EXPECT_EQ(next % supply["economy"]["epoch_blocks"].get<std::uint64_t>(), 0U);
}

TEST_F(LendingApiTest, TrustIsToldForEveryNodeAndAddsUp) {
  lend();
  meter();
  EXPECT_EQ(get("/api/v1/trust")["total"], 3);
  const json trust = get("/api/v1/trust/node-0");
  EXPECT_EQ(trust["node"], mesh_.node().id().to_string());
  int sum = 0;
  for (const json& term : trust["terms"]) sum += term["contribution"].get<int>();
  EXPECT_EQ(trust["score"], sum);
  EXPECT_EQ(get("/api/v1/trust/node-1")["score"], 500);
}

TEST_F(LendingApiTest, CertificatesAndFederationsAreToldWhereThereAreNone) {
  EXPECT_TRUE(get("/api/v1/privacy/certificates/owner-1")["certificates"].empty());
  EXPECT_TRUE(get("/api/v1/privacy/federations")["federations"].empty());
  get("/api/v1/privacy/certificates/nobody", {}, 404);
}

TEST_F(LendingApiTest, ACertificateOfTheRootIsMarked) {
  privacy::Certificate certificate{.issuer_chain = mesh_.node().chain_id(),
                                   .issuer = sample::owner_id(kProvider),
                                   .subject = sample::owner_id(kTenant),
                                   .name = "lab.example",
                                   .expiry = UnixMillis{sample::kGenesisTime * 2}};
  by_owner(kTenant,
           ledger::RecordCertificate{certificate, sample::owner(kProvider).sign(
                                                      privacy::certificate_statement(certificate),
                                                      sample::fixed_randomness())});
  const json row = get("/api/v1/privacy/certificates/owner-1")["certificates"][0];
  EXPECT_EQ(row["certificate"]["name"], "lab.example");
  EXPECT_EQ(row["by_root"], true);
  EXPECT_EQ(row["expired"], false);
}

TEST_F(LendingApiTest, PauseTakesThisNodesAssetsOffTheMarketAndResumeBringsThemBack) {
  const std::string first = register_cpu();
  const std::string second = register_cpu();
  const json paused = order("privacy/pause", json::object());
  EXPECT_EQ(paused["applied"], 2);
  EXPECT_EQ(paused["left"], 0);
  EXPECT_EQ(get("/api/v1/assets", {{"state", "maintenance"}})["total"], 2);
  EXPECT_EQ(order("privacy/pause", json::object())["results"].size(), 0U);
  EXPECT_EQ(order("privacy/resume", {{"asset", first}})["results"][0]["id"], first);
  EXPECT_EQ(get("/api/v1/assets/" + second)["state"], "maintenance");
  ask("privacy/pause", json::object(), 401);
}

TEST_F(LendingApiTest, RevokeTakesLeasesBack) {
  lend();
  ask("privacy/revoke", {{"all", true}}, 401);
  order("privacy/revoke", json::object(), 400);
  order("privacy/revoke", {{"all", true}, {"lease", lease_.to_string()}}, 400);
  const json revoked = order("privacy/revoke", {{"all", true}, {"now", true}});
  EXPECT_EQ(revoked["applied"], 1);
  EXPECT_EQ(revoked["results"][0]["id"], lease_.to_string());
  EXPECT_EQ(get("/api/v1/leases/" + lease_.to_string())["placement"]["end"], "by_owner");
  const json again = order("privacy/revoke", {{"lease", lease_.to_string()}});
  EXPECT_EQ(again["results"][0]["status"], "refused");
  EXPECT_TRUE(order("privacy/revoke", {{"all", true}})["results"].empty());
}

TEST_F(LendingApiTest, ALevelIsChangedByTheNodeThatHasTheAsset) {
  const std::string asset = register_cpu();
  EXPECT_EQ(order("privacy/level", {{"asset", asset}, {"level", "full_public"}})["level"],
            "full_public");
  // A concealed record needs a commitment, which only whoever has the secret can make.
  EXPECT_EQ(order("privacy/level", {{"asset", asset}, {"level", "p2p"}}, 422)["error"]["code"],
            "REFUSED");
  order("privacy/level", {{"asset", asset}, {"level", "sideways"}}, 400);
}

TEST_F(LendingApiTest, AConcealedRecordShowsItsCommitment) {
  assets::AssetTerms terms;
  terms.level = assets::PrivacyLevel::PrivateNetwork;
  terms.commitment.emplace().bytes.fill(7);
  terms.quantity = {10'000, 10'000, 10'000, "basis_points"};
  const auto id = sample::asset_id(mesh_.node().chain_id(), 1, assets::AssetKind::Concealed);
  by_node(ledger::RegisterAsset{id, mesh_.node().id(), terms});
  const json asset = get("/api/v1/assets/" + id.to_string());
  EXPECT_EQ(asset["kind"], "concealed");
  EXPECT_EQ(asset["commitment"], terms.commitment->to_string());
  EXPECT_TRUE(asset["descriptor"].empty());
  EXPECT_FALSE(get("/api/v1/assets/" + register_cpu()).contains("commitment"));
}

TEST_F(LendingApiTest, AStreamTellsOfLeases) {
  HttpRequest wanted = request(HttpMethod::Get, "/api/v1/events");
  wanted.query = {{"kinds", "lease"}};
  const auto stream = send(wanted);
  lend();
  EXPECT_THAT(stream->stream->text, HasSubstr("event: lease\n"));
  EXPECT_THAT(stream->stream->text, HasSubstr("\"event\":\"accepted\""));
  EXPECT_THAT(stream->stream->text, HasSubstr(lease_.to_string()));
  EXPECT_THAT(stream->stream->text, testing::Not(HasSubstr("event: asset")));
}

TEST_F(LendingApiTest, MetricsCountLeasesByState) {
  lend();
  const std::string text = send(request(HttpMethod::Get, "/metrics"))->response->body;
  EXPECT_THAT(text, HasSubstr("hypermesh_ledger_leases_open 1\n"));
  EXPECT_THAT(text, HasSubstr("hypermesh_node_leases{state=\"active\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("hypermesh_node_leases{state=\"requested\"} 0\n"));
}

}  // namespace
}  // namespace hm::http_api
