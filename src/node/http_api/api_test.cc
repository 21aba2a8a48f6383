// SPDX-License-Identifier: Apache-2.0
#include "node/http_api/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/api/text.h"
#include "foundation/codec/writer.h"
#include "node/http_api/api_fixture.h"
#include "node/http_api/limits.h"
#include "node/http_api/lone_node.h"
#include "node/limits.h"

namespace hm::http_api {
namespace {

using fixture::ApiTest;
using fixture::kToken;
using fixture::TestResponder;
using nlohmann::json;
using ports::HttpMethod;
using ports::HttpRequest;
using ports::HttpResponse;
namespace sample = ledger::sample;

TEST_F(ApiTest, EveryAnswerCarriesVersionAndLimits) {
  const auto answer = send(request(HttpMethod::Get, "/api/v1/status"));
  std::map<std::string, std::string> headers;
  for (const auto& header : answer->response->headers) headers[header.name] = header.value;
  EXPECT_EQ(headers["X-API-Version"], "1");
  EXPECT_EQ(headers["X-RateLimit-Limit"], std::to_string(node::kMaxPooledOperations));
  EXPECT_EQ(headers["X-RateLimit-Remaining"], headers["X-RateLimit-Limit"]);
  EXPECT_FALSE(headers.contains("Access-Control-Allow-Origin"));
}

TEST_F(ApiTest, StatusTellsWhereTheNodeStands) {
  do_post("/api/v1/assets/register", kCpu, 201);
  const json status = get("/api/v1/status");
  EXPECT_EQ(status["node"], mesh_.node().id().to_string());
  EXPECT_EQ(status["chain_id"], mesh_.node().chain_id().to_string());
  EXPECT_EQ(status["height"], mesh_.node().ledger().height());
  EXPECT_GE(status["height"].get<std::uint64_t>(), 1U);
  EXPECT_TRUE(status["finalized_age_ms"].is_number());
  EXPECT_EQ(status["peers"], 0);
  EXPECT_EQ(status["validators"], 1);
  EXPECT_EQ(status["role"], "validator");
}

TEST_F(ApiTest, AnAdministratorRegistersAnAssetAndItIsListedWithItsFourVerdicts) {
  const json created = do_post("/api/v1/assets/register", kCpu, 201);
  EXPECT_EQ(created["status"], "applied");
  const json list = get("/api/v1/assets", {{"kind", "cpu"}});
  EXPECT_EQ(list["schema"], 1);
  EXPECT_EQ(list["total"], 1);
  const json asset = list["assets"].at(0);
  std::vector<std::string> keys;
  for (const auto& [key, value] : asset.items()) keys.push_back(key);
  EXPECT_THAT(keys, ::testing::UnorderedElementsAre("id", "kind", "node", "owner", "address",
                                                    "state", "level", "quantity", "descriptor",
                                                    "proofs", "version"));
  EXPECT_EQ(asset["id"], created["id"]);
  EXPECT_EQ(asset["node"], mesh_.node().id().to_string());
  EXPECT_EQ(asset["quantity"],
            json::parse(R"({"detected":8,"offered":4,"available":4,"leased":0,"unit":"threads"})"));
  EXPECT_EQ(asset["descriptor"]["logical_cores"], 8);
  EXPECT_EQ(asset["proofs"]["stake"]["verdict"], "proven");
  EXPECT_EQ(asset["proofs"]["time"]["verdict"], "proven");
  EXPECT_EQ(asset["proofs"]["space"]["verdict"], "unproven");
  EXPECT_EQ(asset["proofs"]["work"]["verdict"], "unproven");
}

TEST_F(ApiTest, AWriteWithoutSignatureOrTokenIsRefused) {
  EXPECT_EQ(do_post("/api/v1/assets/register", kCpu, 401, "")["error"]["code"], "UNAUTHENTICATED");
  EXPECT_EQ(do_post("/api/v1/assets/register", kCpu, 401, "0123456789abcdeX")["error"]["code"],
            "UNAUTHENTICATED");
  EXPECT_EQ(get("/api/v1/assets")["total"], 0);
}

TEST_F(ApiTest, AssetsAreFoundByPrefixAndAddressAndAMistypedIdIsNamed) {
  const std::string id = register_cpu();
  const std::string uuid = id.substr(4, 36);
  const json asset = get("/api/v1/assets/" + id);
  EXPECT_EQ(get("/api/v1/assets/" + uuid.substr(0, 10))["id"], id);
  EXPECT_EQ(get("/api/v1/assets/cpu:" + uuid.substr(0, 10))["id"], id);
  EXPECT_EQ(get("/api/v1/assets/" + asset["address"].get<std::string>())["id"], id);
  std::string mistyped = id;
  mistyped.back() = mistyped.back() == '0' ? '1' : '0';
  EXPECT_THAT(get("/api/v1/assets/" + mistyped, {}, 400)["error"]["message"].get<std::string>(),
              ::testing::HasSubstr("mistyped"));
  EXPECT_EQ(get("/api/v1/assets/ffffffff", {}, 404)["error"]["code"], "NOT_FOUND");
}

TEST_F(ApiTest, AnAssetComesWithAMerkleProofThatVerifies) {
  const std::string id = register_cpu();
  const json proof = get("/api/v1/assets/" + id, {{"proof", "1"}})["state_proof"];
  ledger::MerkleProof path;
  const auto digest = [](const json& text) {
    return *crypto::Digest::parse(text.get<std::string>());
  };
  path.leaf =
      ledger::MerkleLeaf{digest(proof["leaf"]["key_hash"]), digest(proof["leaf"]["value_hash"])};
  for (const json& sibling : proof["siblings"]) path.siblings.push_back(digest(sibling));
  EXPECT_TRUE(ledger::verify_state(digest(proof["root"]),
                                   *from_hex(proof["key"].get<std::string>()),
                                   api::from_base64(proof["value"].get<std::string>()), path));
}

TEST_F(ApiTest, UpdateChangesWhatIsGivenAndKeepsTheRest) {
  const std::string id = register_cpu();
  const json updated = do_post("/api/v1/assets/" + id + "/update",
                               R"({"quantity":{"offered":2},"price":"0.5"})", 200);
  EXPECT_EQ(updated["version"], 2);
  EXPECT_EQ(updated["quantity"]["offered"], 2);
  EXPECT_EQ(updated["quantity"]["available"], 2);
  EXPECT_EQ(updated["quantity"]["detected"], 8);
  EXPECT_EQ(updated["price"], "0.5");
  EXPECT_EQ(updated["descriptor"]["brand"], "x");
  const json conflict =
      do_post("/api/v1/assets/" + id + "/update", R"({"expected_version":1})", 409);
  EXPECT_EQ(conflict["error"]["details"]["rule"], "version_mismatch");
}

TEST_F(ApiTest, ARefusalNamesTheRuleAndTheProofThatFailed) {
  const std::string id = register_cpu();
  // A node's key may not give its owner's assets away.
  const json refused = do_post("/api/v1/assets/" + id + "/transfer",
                               R"({"to":")" + sample::owner_id(1).to_string() + "\"}", 422);
  EXPECT_EQ(refused["error"]["code"], "REFUSED");
  EXPECT_EQ(refused["error"]["details"]["rule"], "node_may_not");
  EXPECT_EQ(refused["error"]["details"]["proof"], "stake");
  EXPECT_FALSE(refused["error"]["request_id"].get<std::string>().empty());
}

TEST_F(ApiTest, AnOwnerTransfersWithItsOwnSignatureAndNeedsNoToken) {
  const std::string id = register_cpu();
  const auto parsed = *assets::AssetId::parse(mesh_.node().chain_id(), id);
  const auto to = sample::owner_id(1);
  const auto operation = codec::encode(signed_operation(ledger::TransferAsset{parsed, 1, to}));
  const std::string body = R"({"operation":")" + api::to_base64(operation) + "\"}";
  EXPECT_EQ(do_post("/api/v1/assets/" + id + "/retire", body, 400, "")["error"]["details"]["field"],
            "operation");
  EXPECT_EQ(do_post("/api/v1/assets/" + id + "/transfer", body, 200, "")["owner"], to.to_string());
}

TEST_F(ApiTest, ARawOperationWaitsForItsReceiptAndIsRememberedByItsId) {
  const auto answer = send(raw(signed_operation(payment())));
  ASSERT_TRUE(answer->response);
  EXPECT_EQ(answer->response->status, 200) << answer->response->body;
  const json entry = answer->body()["operations"].at(0);
  EXPECT_EQ(entry["status"], "applied");
  const json receipt = get("/api/v1/operations/" + entry["id"].get<std::string>());
  EXPECT_EQ(receipt["status"], "applied");
  EXPECT_EQ(receipt["height"], entry["height"]);
  get("/api/v1/operations/" + std::string(64, '0'), {}, 404);
  get("/api/v1/operations/zz", {}, 400);
}

TEST_F(ApiTest, AReplayedOperationIsAConflict) {
  const auto operation = signed_operation(payment());
  EXPECT_EQ(send(raw(operation))->response->status, 200);
  const auto replayed = send(raw(operation));
  EXPECT_EQ(replayed->response->status, 409);
  EXPECT_EQ(replayed->body()["error"]["details"]["rule"], "already_applied");
  EXPECT_EQ(replayed->body()["error"]["details"]["proof"], "time");
}

TEST_F(ApiTest, ABatchSaysWhatBecameOfEach) {
  const auto first = signed_operation(payment(), 1);
  const auto second = signed_operation(payment(), 2);
  const auto broken = std::string("00ff");
  const std::string body =
      json{api::to_base64(codec::encode(first)), broken, to_hex(codec::encode(second))}.dump();
  HttpRequest posted = post("/api/v1/operations", body);
  posted.query = {{"wait", "final"}};
  const auto answer = send(std::move(posted));
  ASSERT_TRUE(answer->response);
  EXPECT_EQ(answer->response->status, 200);
  const json entries = answer->body()["operations"];
  EXPECT_EQ(entries[0]["status"], "applied");
  EXPECT_EQ(entries[1]["status"], "refused");
  EXPECT_EQ(entries[1]["refused"]["rule"], "malformed");
  EXPECT_EQ(entries[2]["status"], "applied");
}

TEST_F(ApiTest, WaitingEndsWhenTheTimeIsUp) {
  // Its predecessor never comes.
  HttpRequest posted = raw(signed_operation(payment(), 2));
  posted.query.emplace_back("timeout_ms", "50");
  const auto answer = send(std::move(posted));
  ASSERT_TRUE(answer->response);
  const json body = answer->body();
  if (answer->response->status == 200) {
    EXPECT_EQ(body["operations"][0]["status"], "admitted");
  } else {
    EXPECT_EQ(body["error"]["details"]["rule"], "sequence_gap");
  }
}

TEST_F(ApiTest, BlocksAreListedAndShownWithTheirReceipts) {
  const auto answer = send(raw(signed_operation(payment())));
  const json entry = answer->body()["operations"].at(0);
  const json list = get("/api/v1/ledger/blocks", {{"encoded", "1"}});
  const json last = list["blocks"].back();
  EXPECT_EQ(last["height"], list["height"]);
  EXPECT_EQ(list["next_from"], nullptr);
  EXPECT_EQ(last["certificate"]["signers"].size(), 1U);
  const auto encoded =
      codec::decode<consensus::FinalBlock>(*api::from_base64(last["encoded"].get<std::string>()));
  ASSERT_TRUE(encoded);
  EXPECT_EQ(consensus::hash_of(encoded->block.header).to_string(), last["hash"]);
  const json block = get("/api/v1/ledger/blocks/" + entry["block"].get<std::string>());
  EXPECT_EQ(block["height"], entry["height"]);
  EXPECT_EQ(block["receipts"][0]["id"], entry["id"]);
  EXPECT_EQ(block["receipts"][0]["action"], "transfer_caes");
  EXPECT_EQ(block["receipts"][0]["status"], "applied");
  get("/api/v1/ledger/blocks/999999", {}, 404);
  get("/api/v1/ledger/blocks/abc", {}, 400);
}

TEST_F(ApiTest, TheWalletAndTheActorFollowTheLedger) {
  const std::string owner = sample::owner_id(0).to_string();
  const json before = get("/api/v1/wallet/" + owner);
  EXPECT_EQ(before["balance"], "1000");
  ASSERT_EQ(send(raw(signed_operation(payment(500'000'000))))->response->status, 200);
  const json after = get("/api/v1/wallet/owner-0");
  EXPECT_EQ(after["balance"], "999.5");
  EXPECT_EQ(after["owner"], owner);
  EXPECT_EQ(get("/api/v1/wallet/self")["owner"], owner);
  const json actor = get("/api/v1/actors/" + owner.substr(0, 8));
  EXPECT_EQ(actor["next_sequence"], 2);
  EXPECT_EQ(actor["anchor"]["height"], mesh_.node().ledger().height());
  get("/api/v1/wallet/nobody", {}, 404);
}

TEST_F(ApiTest, AnOwnersKeysAreToldAndFollowARotation) {
  const auto owner = sample::owner_id(0);
  const json before = get("/api/v1/owners/self");
  EXPECT_EQ(before["owner"], owner.to_string());
  EXPECT_EQ(api::from_base64(before["bundle"].get<std::string>()),
            codec::encode(sample::bundle(0)));
  EXPECT_EQ(before["keys"].size(), 3U);
  EXPECT_FALSE(before.contains("retiring"));

  auto operation = signed_operation(ledger::RotateKeys{}).operation;
  operation.action = ledger::RotateKeys{identity::sign_rotation(
      sample::owner(0), sample::owner(60), {operation.chain_id, owner, operation.sequence}, 5,
      {sample::fixed_randomness(1), sample::fixed_randomness(2)})};
  ASSERT_EQ(send(raw(ledger::sign(operation, sample::key(0))))->response->status, 200);
  const json after = get("/api/v1/owners/owner-0");
  EXPECT_EQ(after["owner"], owner.to_string());
  EXPECT_EQ(after["keys"]["falcon-1024"],
            api::to_base64(sample::bundle(60).keys.at(identity::kAlgorithmFalcon1024)));
  EXPECT_EQ(after["retiring"]["until_height"], after["since_height"].get<int>() + 5);
  get("/api/v1/owners/nobody", {}, 404);
}

TEST_F(ApiTest, ListsAreFilteredAndPaged) {
  for (int i = 0; i < 5; ++i) register_cpu();
  const json first = get("/api/v1/assets", {{"limit", "2"}});
  EXPECT_EQ(first["assets"].size(), 2U);
  EXPECT_EQ(first["total"], 5);
  std::set<std::string> seen;
  std::string cursor;
  for (int pages = 0; pages < 3; ++pages) {
    const json page = get(
        "/api/v1/assets",
        cursor.empty()
            ? std::vector<std::pair<std::string, std::string>>{{"limit", "2"}}
            : std::vector<std::pair<std::string, std::string>>{{"limit", "2"}, {"cursor", cursor}});
    for (const json& asset : page["assets"]) seen.insert(asset["id"]);
    cursor = page["next_cursor"].is_string() ? page["next_cursor"].get<std::string>() : "";
  }
  EXPECT_EQ(seen.size(), 5U);
  EXPECT_EQ(cursor, "");
  EXPECT_EQ(get("/api/v1/assets", {{"type", "GPU"}})["total"], 0);
  EXPECT_EQ(get("/api/v1/assets", {{"status", "available"}, {"node", "node-0"}})["total"], 5);
  EXPECT_EQ(get("/api/v1/assets", {{"owner", "owner-1"}})["total"], 0);
  get("/api/v1/assets", {{"kind", "toaster"}}, 400);
  get("/api/v1/assets", {{"limit", "0"}}, 400);
  get("/api/v1/assets", {{"cursor", "x"}}, 400);
  get("/api/v1/assets", {{"owner", "nobody"}}, 404);
}

TEST_F(ApiTest, ConsensusAndEvidenceAreReportedAsTheyAre) {
  register_cpu();
  const json state = get("/api/v1/consensus/state");
  EXPECT_EQ(state["participants"], 1);
  EXPECT_EQ(state["height"], mesh_.node().ledger().height());
  EXPECT_EQ(state["votes_received"], state["total_stake"]);
  EXPECT_EQ(get("/api/v1/consensus/status")["counters"]["blocks_final"],
            mesh_.node().replica().counters().blocks_final);
  const json byzantine = get("/api/v1/byzantine/status");
  EXPECT_EQ(byzantine["total_nodes"], 1);
  EXPECT_EQ(byzantine["healthy_nodes"], 1);
  EXPECT_EQ(byzantine["malicious_nodes"], 0);
  EXPECT_EQ(byzantine["tolerance_threshold"], 0);
  EXPECT_EQ(get("/api/v1/nodes")["nodes"].size(), 2U);
  EXPECT_EQ(get("/api/v1/validators")["validators"].size(), 1U);
}

TEST_F(ApiTest, AStreamTellsBlocksAndAssetChanges) {
  const auto stream = send(request(HttpMethod::Get, "/api/v1/events"));
  ASSERT_TRUE(stream->stream);
  EXPECT_EQ(stream->response->content_type, "text/event-stream");
  const std::string id = register_cpu();
  EXPECT_THAT(stream->stream->text, ::testing::HasSubstr("event: block\nid: "));
  EXPECT_THAT(stream->stream->text, ::testing::HasSubstr("event: asset\n"));
  EXPECT_THAT(stream->stream->text, ::testing::HasSubstr(id));
  HttpRequest blocks_only = request(HttpMethod::Get, "/api/v1/events");
  blocks_only.query = {{"kinds", "block"}};
  const auto blocks = send(blocks_only);
  register_cpu();
  EXPECT_THAT(blocks->stream->text, ::testing::Not(::testing::HasSubstr("event: asset")));
  blocks_only.query = {{"kinds", "weather"}};
  EXPECT_EQ(send(blocks_only)->response->status, 400);
}

TEST_F(ApiTest, ASlowStreamIsForgottenAndTheOthersGoOn) {
  const auto slow = send(request(HttpMethod::Get, "/api/v1/events"));
  const auto good = send(request(HttpMethod::Get, "/api/v1/events"));
  slow->stream->limit = 10;
  register_cpu();
  EXPECT_FALSE(slow->stream->open);
  EXPECT_THAT(good->stream->text, ::testing::HasSubstr("event: asset"));
  const auto metrics = send(request(HttpMethod::Get, "/metrics"));
  EXPECT_THAT(metrics->response->body,
              ::testing::HasSubstr("hypermesh_api_event_streams_dropped_total 1\n"));
}

TEST_F(ApiTest, MetricsAreTextWithHelpAndType) {
  const auto answer = send(request(HttpMethod::Get, "/metrics"));
  EXPECT_THAT(answer->response->content_type, ::testing::HasSubstr("version=0.0.4"));
  EXPECT_THAT(answer->response->body,
              ::testing::HasSubstr("# TYPE hypermesh_ledger_height gauge\n"));
}

TEST_F(ApiTest, WhatThisProcessLacksIsSaid) {
  get("/api/v1/system/hardware", {}, 503);
  do_post("/api/v1/invitations", "{}", 503);
  do_post("/api/v1/invitations", "{}", 401, "");
}

TEST_F(ApiTest, ThePageLoadsNothingFromElsewhereAndRunsNothingButItself) {
  const auto answer = send(request(HttpMethod::Get, "/"));
  EXPECT_EQ(answer->response->status, 200);
  EXPECT_EQ(answer->response->content_type, "text/html; charset=utf-8");
  std::string policy;
  for (const auto& header : answer->response->headers) {
    if (header.name == "Content-Security-Policy") policy = header.value;
  }
  EXPECT_THAT(policy, ::testing::StartsWith("default-src 'none'; script-src 'sha256-"));
  EXPECT_THAT(policy, ::testing::Not(::testing::HasSubstr("unsafe")));
  const std::string& page = answer->response->body;
  for (const char* foreign : {"http://", "https://", "src=", "onclick", "style=\"", "innerHTML"}) {
    EXPECT_THAT(page, ::testing::Not(::testing::HasSubstr(foreign))) << foreign;
  }
}

TEST_F(ApiTest, UnknownPathsAndMethodsAreNamed) {
  get("/api/v1/toasters", {}, 404);
  const auto wrong = send(request(HttpMethod::Get, "/api/v1/operations"));
  EXPECT_EQ(wrong->response->status, 405);
  EXPECT_EQ(wrong->response->headers.back().value, "POST");
}

TEST_F(ApiTest, AHaltedNodeSaysSo) {
  mesh_.node().on_journal_failed({ErrorCode::Io, "the disk is full", "free some space"});
  const json health = get("/api/v1/health", {}, 503);
  EXPECT_EQ(health["error"]["details"]["status"], "halted");
  EXPECT_EQ(send(raw(signed_operation(payment())))->response->status, 503);
  EXPECT_TRUE(get("/api/v1/status")["halted"].is_string());
}

// Fills the pool with operations that wait for one that never comes, but for `room` places.
class FullPool : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kOwners = 9;
  static constexpr std::size_t kRoom = 10;

  FullPool() : mesh_(kOwners) {
    mesh_.start();
    std::size_t left = node::kMaxPooledOperations - kRoom;
    for (std::uint32_t owner = 0; left > 0; ++owner) {
      const std::size_t count = std::min(left, node::kMaxPooledPerActor - 1);
      for (std::size_t i = 0; i < count; ++i) submit(owner, 2 + i);
      mesh_.world().settle();
      left -= count;
    }
  }

  void submit(std::uint32_t owner, std::uint64_t sequence) {
    const auto& ledger = mesh_.node().ledger();
    const ledger::Operation operation{
        .chain_id = mesh_.node().chain_id(),
        .actor = sample::owner_id(owner),
        .sequence = sequence,
        .anchor = ledger.anchor(),
        .expiry_height = ledger.policy().expiry_max_ahead,
        .action = ledger::TransferCaes{sample::owner_id((owner + 1) % kOwners), caesar::Amount{1}}};
    mesh_.node().submit(codec::encode(ledger::sign(operation, sample::key(owner))),
                        [this](const node::Admission& admission) {
                          admitted_ += std::holds_alternative<node::Admitted>(admission) ? 1U : 0U;
                          busy_ += std::holds_alternative<node::Busy>(admission) ? 1U : 0U;
                        });
  }

  lone::LoneNode mesh_;
  std::size_t admitted_ = 0;
  std::size_t busy_ = 0;
};

TEST_F(FullPool, WhatFindsNoPlaceIsBusyBeforeItsSignatureIsChecked) {
  ASSERT_EQ(admitted_, node::kMaxPooledOperations - kRoom);
  for (std::uint64_t i = 0; i < 2 * kRoom; ++i) submit(kOwners - 1, 500 + i);
  EXPECT_EQ(busy_, kRoom) << "at once, and not after a worker had them";
  mesh_.world().settle();
  EXPECT_EQ(admitted_, node::kMaxPooledOperations);
  EXPECT_EQ(busy_, kRoom);
}

}  // namespace
}  // namespace hm::http_api
