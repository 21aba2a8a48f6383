// SPDX-License-Identifier: Apache-2.0
// Leases, CAES and trust on the command line: what is parsed, what is asked and signed, and what is
// read out of the API's documents.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "apps/hypermesh/bill_view.h"
#include "apps/hypermesh/command_line.h"
#include "apps/hypermesh/lease_plan.h"
#include "apps/hypermesh/lease_view.h"
#include "apps/hypermesh/staking.h"
#include "apps/hypermesh/trust_view.h"
#include "core/trust/behaviour.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

template <class Options>
Options parsed(std::vector<std::string> arguments) {
  const auto result = parse_command_line(std::move(arguments));
  const auto* invocation = std::get_if<Invocation>(&result);
  const auto* options =
      invocation == nullptr ? nullptr : std::get_if<Options>(&invocation->command);
  EXPECT_NE(options, nullptr);
  return options == nullptr ? Options{} : *options;
}

bool is_usage_error(std::vector<std::string> arguments) {
  const auto result = parse_command_line(std::move(arguments));
  const auto* failure = std::get_if<Failure>(&result);
  return failure != nullptr && failure->exit == ExitCode::Usage && !failure->what.empty() &&
         !failure->why.empty() && !failure->to_do.empty();
}

std::string text_of_row(const std::vector<Terminal::Cell>& row) {
  std::string text;
  for (const Terminal::Cell& cell : row) text += (text.empty() ? "" : "|") + cell.text;
  return text;
}

std::string value_of(const std::vector<std::pair<std::string, std::string>>& lines,
                     std::string_view name) {
  for (const auto& [key, value] : lines) {
    if (key == name) return value;
  }
  return "(none)";
}

// The document as it comes over the wire: a whole number without a sign is unsigned there.
ordered_json received(const ordered_json& document) { return ordered_json::parse(document.dump()); }

// -- The command line

TEST(LeaseCommands, AreParsedWithTheirOptions) {
  const auto open = parsed<LeaseOpen>({"lease", "open", "--on", "kind=cpu,trust>=600", "--quantity",
                                       "2cores", "--for", "10m", "--network", "mesh",
                                       "--highest-price", "0.5", "--choices", "3", "--no-wait"});
  EXPECT_EQ(open.filter, "kind=cpu,trust>=600");
  EXPECT_EQ(open.quantity, "2cores");
  EXPECT_EQ(open.duration, "10m");
  EXPECT_EQ(open.network, "mesh");
  EXPECT_EQ(open.highest_price, "0.5");
  EXPECT_EQ(open.choices, 3u);
  EXPECT_FALSE(open.wait);
  EXPECT_FALSE(open.plan);
  EXPECT_TRUE(parsed<LeaseOpen>({"lease", "open", "--on", "kind=gpu"}).wait);
  EXPECT_TRUE(parsed<LeaseOpen>({"lease", "open", "--on", "kind=gpu", "--wait", "--plan"}).plan);
  EXPECT_TRUE(parsed<LeaseList>({"lease", "--open"}).open);
  EXPECT_TRUE(parsed<LeaseList>({"lease", "ls", "--on-me"}).on_me);
  EXPECT_EQ(parsed<LeaseShow>({"lease", "show", "abcd"}).lease, "abcd");
  EXPECT_EQ(parsed<LeaseRenew>({"lease", "renew", "abcd", "--for", "1h"}).duration, "1h");
  EXPECT_EQ(parsed<LeaseClose>({"lease", "close", "abcd"}).lease, "abcd");
  EXPECT_EQ(parsed<LeaseSettle>({"lease", "settle", "abcd"}).lease, "abcd");
  EXPECT_EQ(parsed<LeaseAccept>({"lease", "accept", "abcd"}).lease, "abcd");
  EXPECT_EQ(parsed<LeaseDecline>({"lease", "decline", "abcd"}).lease, "abcd");
}

TEST(LeaseCommands, OfCaesAndTrustAreParsed) {
  EXPECT_EQ(parsed<Stake>({"stake", "12.5"}).amount, "12.5");
  EXPECT_EQ(parsed<Unstake>({"unstake", "12.5"}).amount, "12.5");
  EXPECT_EQ(parsed<Delegate>({"delegate", "node2", "5"}).validator, "node2");
  EXPECT_EQ(parsed<Undelegate>({"undelegate", "node2", "5"}).amount, "5");
  EXPECT_TRUE(parsed<Undelegate>({"undelegate", "node2", "--all"}).all);
  EXPECT_EQ(parsed<Allow>({"allow"}).amount, "");
  EXPECT_EQ(parsed<Allow>({"allow", "0"}).amount, "0");
  EXPECT_EQ(parsed<Allow>({"allow", "12.5", "--node", "node2"}).node, "node2");
  EXPECT_EQ(parsed<Wallet>({"wallet", "alice"}).owner, "alice");
  EXPECT_EQ(parsed<Wallet>({"wallet", "--owner", "alice"}).owner, "alice");
  EXPECT_EQ(parsed<Bill>({"bill", "alice", "--since", "7d"}).since, "7d");
  EXPECT_EQ(parsed<Rewards>({"rewards"}).owner, "");
  parsed<Who>({"who"});
  EXPECT_EQ(parsed<Trust>({"trust"}).node, "");
  EXPECT_EQ(parsed<Trust>({"trust", "node2"}).node, "node2");
  EXPECT_EQ(parsed<TrustShow>({"trust", "show", "node2"}).node, "node2");
}

TEST(LeaseCommands, MistakesAreToldInThreeLines) {
  const std::vector<std::vector<std::string>> mistakes = {
      {"lease", "open"},
      {"lease", "open", "--on", "kind=cpu", "--network", "wide"},
      {"lease", "open", "--on", "kind=cpu", "--choices", "9"},
      {"lease", "renew", "abcd"},
      {"lease", "close"},
      {"lease", "opne"},
      {"stake"},
      {"delegate", "node2"},
      {"undelegate", "node2", "5", "--all"},
      {"trust", "show"},
      {"allow", "5", "node2"},
      {"who", "else"}};
  for (const auto& arguments : mistakes) {
    EXPECT_TRUE(is_usage_error(arguments)) << arguments.front() << " … " << arguments.back();
  }
}

TEST(LeaseCommands, HelpOfEachHasAnExample) {
  const std::vector<std::vector<std::string>> commands = {{"lease"},
                                                          {"lease", "open"},
                                                          {"lease", "ls"},
                                                          {"lease", "show"},
                                                          {"lease", "renew"},
                                                          {"lease", "close"},
                                                          {"lease", "settle"},
                                                          {"lease", "accept"},
                                                          {"lease", "decline"},
                                                          {"stake"},
                                                          {"unstake"},
                                                          {"delegate"},
                                                          {"undelegate"},
                                                          {"allow"},
                                                          {"rewards"},
                                                          {"bill"},
                                                          {"who"},
                                                          {"trust"},
                                                          {"trust", "show"},
                                                          {"wallet"}};
  for (auto arguments : commands) {
    std::string words;
    for (const std::string& word : arguments) words += " " + word;
    arguments.emplace_back("--help");
    const auto result = parse_command_line(arguments);
    const auto* help = std::get_if<HelpText>(&result);
    ASSERT_NE(help, nullptr) << words;
    EXPECT_NE(help->text.find("Example:\n  hypermesh" + words), std::string::npos) << words;
  }
}

// -- What is wished and planned

LeaseOpen wish_for(std::string filter) { return {.filter = std::move(filter)}; }

TEST(LeaseWishes, TakeTheirPartsFromOptionsOrFilter) {
  const auto plain = wish_of(wish_for("kind=cpu"));
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->quantity, 1u);
  EXPECT_EQ(plain->duration_ms, 3'600'000u);
  EXPECT_EQ(plain->network, privacy::NetworkClass::None);
  EXPECT_FALSE(plain->highest_price);
  LeaseOpen options = wish_for("kind=memory,duration=10m");
  options.quantity = "4GiB";
  options.network = "internet";
  options.highest_price = "0.01/GiB";
  options.choices = 2;
  const auto wish = wish_of(options);
  ASSERT_TRUE(wish);
  EXPECT_EQ(wish->quantity, 4ull << 30);
  EXPECT_EQ(wish->duration_ms, 600'000u);
  EXPECT_EQ(wish->network, privacy::NetworkClass::Internet);
  EXPECT_EQ(wish->highest_price, (caesar::Price{caesar::Amount{10'000'000}, 1u << 30}));
  EXPECT_EQ(wish->choices, 2u);
  EXPECT_EQ(wish->filter, "kind=memory,duration=10m,choices=2");
}

TEST(LeaseWishes, MaySayTheSameTwiceButNotDifferently) {
  LeaseOpen same = wish_for("kind=cpu,quantity=2k,duration=1h,network=mesh,price<=0.5,choices=3");
  same.quantity = "2cores";
  same.duration = "60m";
  same.network = "mesh";
  same.highest_price = "1/2";
  same.choices = 3;
  EXPECT_TRUE(wish_of(same));
  const auto differs = [](auto change) {
    LeaseOpen options =
        wish_for("kind=cpu,quantity=1,duration=1h,network=none,price<=0.5,choices=3");
    change(options);
    const auto wish = wish_of(options);
    return !wish && wish.error().exit == ExitCode::Usage && !wish.error().to_do.empty();
  };
  EXPECT_TRUE(differs([](LeaseOpen& o) { o.quantity = "2"; }));
  EXPECT_TRUE(differs([](LeaseOpen& o) { o.duration = "2h"; }));
  EXPECT_TRUE(differs([](LeaseOpen& o) { o.network = "mesh"; }));
  EXPECT_TRUE(differs([](LeaseOpen& o) { o.highest_price = "0.6"; }));
  EXPECT_TRUE(differs([](LeaseOpen& o) { o.choices = 4; }));
}

TEST(LeaseWishes, ThatCannotBeUnderstoodAreRefused) {
  const auto refused = [](auto change) {
    LeaseOpen options = wish_for("kind=cpu");
    change(options);
    const auto wish = wish_of(options);
    return !wish && wish.error().exit == ExitCode::Usage && !wish.error().why.empty();
  };
  EXPECT_TRUE(refused([](LeaseOpen& o) { o.filter = "kind=cpv"; }));
  EXPECT_TRUE(refused([](LeaseOpen& o) { o.quantity = "0"; }));
  EXPECT_TRUE(refused([](LeaseOpen& o) { o.quantity = "2 cores"; }));
  EXPECT_TRUE(refused([](LeaseOpen& o) { o.duration = "1"; }));
  EXPECT_TRUE(refused([](LeaseOpen& o) { o.highest_price = "cheap"; }));
  EXPECT_EQ(parse_lease_quantity("2.5cores"), 2500u);
  EXPECT_EQ(parse_lease_quantity("1core"), 1000u);
  EXPECT_EQ(parse_lease_quantity("250"), 250u);
  for (const char* bad : {"", "cores", "2kcores", "0cores", "-1", "1.0001cores"}) {
    EXPECT_FALSE(parse_lease_quantity(bad)) << bad;
  }
}

const identity::ChainId kChain{{1, 2, 3, 4}};

std::string asset_text(assets::AssetKind kind, std::uint8_t number) {
  std::array<std::uint8_t, assets::kUuidRandomSize> random{};
  random.fill(number);
  return assets::AssetId::make(kChain, kind, UnixMillis(1'700'000'000'000), random).to_string();
}

ordered_json sample_plan() {
  return received({{"schema", 1},
                   {"quantity", 2000},
                   {"duration_ms", 3'600'000},
                   {"choices",
                    {{{"asset", asset_text(assets::AssetKind::Cpu, 1)},
                      {"grant", std::string(64, 'a')},
                      {"node_name", "node2"},
                      {"price", "0.5/1000"},
                      {"cost", "1"},
                      {"trust", 502},
                      {"rtt_us", 800}},
                     {{"asset", asset_text(assets::AssetKind::Cpu, 2)},
                      {"node_name", "node1"},
                      {"price", "0"},
                      {"cost", "0"},
                      {"trust", 500}}}},
                   {"highest_price", "0.5/1000"},
                   {"escrow", "1"},
                   {"rejected",
                    {{{"asset", asset_text(assets::AssetKind::Cpu, 3)},
                      {"node_name", "node3"},
                      {"reason", "denied"},
                      {"rule", "outside_hours"},
                      {"message", "the grant is for other hours"}}}},
                   {"message", "4 free on 2 assets"}});
}

LeaseWish sample_wish() {
  return {.filter = "kind=cpu", .quantity = 2000, .duration_ms = 3'600'000, .choices = 8};
}

TEST(LeasePlans, AreAskedForInTheWordsOfTheApi) {
  LeaseWish wish = sample_wish();
  wish.highest_price = caesar::Price{caesar::Amount{500'000'000}, 1000};
  const ordered_json body = plan_request(wish, identity::OwnerId{{7}});
  EXPECT_EQ(body["tenant"], identity::OwnerId{{7}}.to_string());
  EXPECT_EQ(body["filter"], "kind=cpu");
  EXPECT_EQ(body["quantity"], 2000);
  EXPECT_EQ(body["duration_ms"], 3'600'000);
  EXPECT_EQ(body["network"], "none");
  EXPECT_EQ(body["highest_price"], "0.5/1000");
  EXPECT_EQ(body["explain"], false);
  EXPECT_FALSE(plan_request(sample_wish(), {}).contains("highest_price"));
}

TEST(LeasePlans, BecomeTheOperationThatIsSigned) {
  const auto planned = planned_lease(sample_plan(), sample_wish(), kChain);
  ASSERT_TRUE(planned) << planned.error().why;
  EXPECT_EQ(planned->action.choices.size(), 2u);
  EXPECT_TRUE(planned->action.choices[0].grant);
  EXPECT_FALSE(planned->action.choices[1].grant);
  EXPECT_EQ(planned->action.quantity, 2000u);
  EXPECT_EQ(planned->action.duration_ms, 3'600'000u);
  EXPECT_EQ(planned->escrow, caesar::caes(1));
}

TEST(LeasePlans, ThatWereNotAskedForAreNotSigned) {
  const auto refused = [](auto change) {
    ordered_json plan = sample_plan();
    LeaseWish wish = sample_wish();
    change(plan, wish);
    return !planned_lease(plan, wish, kChain);
  };
  EXPECT_FALSE(refused([](ordered_json&, LeaseWish&) {}));
  EXPECT_TRUE(refused([](ordered_json&, LeaseWish& wish) {
    wish.highest_price = caesar::Price{caesar::Amount{499'999'999}, 1000};
  }));
  EXPECT_TRUE(refused([](ordered_json&, LeaseWish& wish) { wish.choices = 1; }));
  EXPECT_TRUE(refused([](ordered_json& plan, LeaseWish&) { plan["quantity"] = 4000u; }));
  EXPECT_TRUE(refused([](ordered_json& plan, LeaseWish&) { plan["duration_ms"] = 1u; }));
  EXPECT_TRUE(refused([](ordered_json& plan, LeaseWish&) { plan["highest_price"] = nullptr; }));
  EXPECT_TRUE(refused([](ordered_json& plan, LeaseWish&) { plan["choices"][0]["grant"] = "x"; }));
  EXPECT_TRUE(refused([](ordered_json& plan, LeaseWish&) { plan["choices"][0]["asset"] = "x"; }));
  EXPECT_TRUE(refused([](ordered_json& plan, LeaseWish&) { plan["highest_price"] = "1000000"; }));
  EXPECT_TRUE(refused([](ordered_json& plan, LeaseWish&) { plan = ordered_json(); }));
}

TEST(LeasePlans, WithoutAChoiceSayWhyAndThatLaterMayWork) {
  ordered_json plan = sample_plan();
  plan["choices"] = ordered_json::array();
  const auto planned = planned_lease(plan, sample_wish(), kChain);
  ASSERT_FALSE(planned);
  EXPECT_EQ(planned.error().exit, ExitCode::NoCapacity);
  EXPECT_EQ(planned.error().why, "4 free on 2 assets");
  EXPECT_NE(planned.error().to_do.find("--explain"), std::string::npos);
}

TEST(LeasePlans, NameEveryChoiceAndEveryRejection) {
  const auto choices = choice_rows(sample_plan());
  ASSERT_EQ(choices.size(), 2u);
  ASSERT_EQ(choices[0].size(), choice_heads().size());
  EXPECT_EQ(choices[0][2].text, "node2");
  EXPECT_EQ(choices[0][3].text, "aaaaaaaaaaaa");
  EXPECT_EQ(choices[0][4].text, "0.5 CAES an hour for 1 core");
  EXPECT_EQ(choices[0][7].text, "800 us");
  EXPECT_EQ(choices[1][3].text, "own");
  EXPECT_EQ(choices[1][4].text, "free");
  EXPECT_EQ(choices[1][7].text, "unknown");
  const auto rejected = rejected_rows(sample_plan());
  ASSERT_EQ(rejected.size(), 1u);
  ASSERT_EQ(rejected[0].size(), rejected_heads().size());
  EXPECT_EQ(rejected[0][1].text, "node3");
  EXPECT_EQ(rejected[0][2].text, "outside_hours");
  EXPECT_EQ(rejected[0][3].text, "the grant is for other hours");
}

// -- Leases as they are shown

constexpr UnixMillis kNow{1'700'000'000'000};

ordered_json sample_lease() {
  return ordered_json::parse(
      R"({"id": "5f2a91c0b7d3000000000000000000000000000000000000000000000000ff01",
    "state": "active", "tenant": "aa01", "quantity": 2500, "duration_ms": 3600000,
    "network": "mesh", "highest_price": "1/1000", "escrow": "2.25", "requested_ms": 1699999990000,
    "until_ms": 1700003600000, "ends_ms": 0,
    "placement": {"asset": "cpu:0198aaaa-bbbb:ff", "grant": "99", "provider": "bb02",
      "node": "cc03", "price": "0.5/1000", "notice_ms": 600000, "accepted_ms": 1700000000000,
      "counted_intervals": 3, "disputed_intervals": 1, "counted_ms": 180000, "used": 9000000, "paid": "0.25",
      "fee": "0.01", "reward": "0.005", "end": "none"},
    "past": [{"asset": "cpu:0198aaaa-cccc:ee", "paid": "1.5", "end": "dark"}],
    "choices_left": [{"asset": "cpu:0198aaaa-dddd:dd"}], "opened_height": 12})");
}

TEST(LeaseView, FindsMembersInTheLeaseAndItsPlacement) {
  const ordered_json lease = sample_lease();
  EXPECT_EQ(lease_text(lease, "provider"), "bb02");
  EXPECT_EQ(lease_text({{"lease", lease}, {"unit", "x"}}, "provider"), "bb02");
  EXPECT_EQ(lease_text(lease, "nothing"), "");
  EXPECT_EQ(lease_text(ordered_json(), "id"), "");
  EXPECT_EQ(lease_quantity(lease), "2.5 cores");
  EXPECT_EQ(lease_price(lease), "0.5 CAES an hour for 1 core");
  EXPECT_EQ(caesar::to_string(paid_in_all(lease)), "1.75");
  EXPECT_TRUE(is_open(lease));
  EXPECT_EQ(role_of(lease, "aa01"), "tenant");
  EXPECT_EQ(role_of(lease, "bb02"), "provider");
  EXPECT_EQ(role_of(lease, "dd"), "");
}

TEST(LeaseView, PricesNeverRoundTheirUnitAway) {
  EXPECT_EQ(price_in_words("0.001", "millicores"), "0.001 CAES an hour for 1 millicore");
  EXPECT_EQ(price_in_words("0.01/1073741824", "bytes"), "0.01 CAES an hour for 1 GiB");
  EXPECT_EQ(price_in_words("0", "bytes"), "free");
  EXPECT_EQ(price_in_words("", "bytes"), "no price");
  EXPECT_EQ(price_in_words("odd", "bytes"), "odd");
}

TEST(LeaseView, ALeaseIsOneRow) {
  const LeaseNames names{"alice", "bob", "node2"};
  const auto row = lease_row(sample_lease(), names, "aa01", kNow);
  ASSERT_EQ(row.size(), lease_heads().size());
  EXPECT_EQ(text_of_row(row),
            "5f2a91c0b7d3|tenant|active|bob|node2|cpu:0198aaaa-bbbb|2.5 cores|in 1 h|"
            "0.5 CAES an hour for 1 core|1.75|2.25");
  EXPECT_EQ(lease_row(sample_lease(), names, "bb02", kNow)[3].text, "alice");
  EXPECT_EQ(lease_row(sample_lease(), names, "else", kNow)[3].text, "alice / bob");
}

TEST(LeaseView, InFullTellsItsHistoryAndWhatIsLeft) {
  const auto lines = lease_lines(sample_lease(), {"alice", "bob", "node2"}, kNow);
  EXPECT_EQ(value_of(lines, "tenant"), "alice (aa01)");
  EXPECT_EQ(value_of(lines, "until"), "2023-11-14 23:13:20 UTC (in 1 h)");
  EXPECT_EQ(value_of(lines, "notice"), "10 min");
  EXPECT_EQ(value_of(lines, "readings"), "3 intervals counted, 1 disputed, 3 min delivered");
  EXPECT_EQ(value_of(lines, "before"),
            "on cpu:0198aaaa-cccc:ee, paid 1.5 CAES: no reading was signed by both sides for too "
            "long");
  EXPECT_EQ(value_of(lines, "fallback"), "cpu:0198aaaa-dddd:dd");
  EXPECT_EQ(value_of(lines, "because"), "(none)");
  ordered_json ended = sample_lease();
  ended["state"] = "closed";
  ended["ends_ms"] = 1'699'999'940'000u;
  ended["placement"]["end"] = "by_owner";
  const auto after = lease_lines(ended, {"alice", "bob", "node2"}, kNow);
  EXPECT_EQ(value_of(after, "ended"), "2023-11-14 22:12:20 UTC (1 min ago)");
  EXPECT_EQ(value_of(after, "because"), "the provider reclaimed it");
}

TEST(LeaseView, OfAnEmptyDocumentIsEmptyAndNotADisaster) {
  const ordered_json nothing = ordered_json::object();
  EXPECT_EQ(lease_row(nothing, {}, "aa", kNow).size(), lease_heads().size());
  EXPECT_FALSE(lease_lines(nothing, {}, kNow).empty());
  EXPECT_EQ(use_row(nothing, kNow).size(), use_heads().size());
}

TEST(Who, SaysWhoWhatSinceUntilAndHowToEndIt) {
  const ordered_json use = {{"lease", sample_lease()["id"]},
                            {"state", "active"},
                            {"tenant", "aa01"},
                            {"tenant_name", "alice"},
                            {"asset", "memory:0198aaaa-bbbb:ff"},
                            {"quantity", 4ull << 30},
                            {"unit", "bytes"},
                            {"since_ms", kNow.value - 60'000},
                            {"until_ms", kNow.value + 60'000},
                            {"price", "0.01/1073741824"},
                            {"earned", "0.5"}};
  EXPECT_EQ(text_of_row(use_row(use, kNow)),
            "alice|4 GiB|memory:0198aaaa-bbbb|active|2023-11-14 22:12:20 UTC (1 min ago)|"
            "2023-11-14 22:14:20 UTC (in 1 min)|0.01 CAES an hour for 1 GiB|0.5|"
            "hypermesh revoke 5f2a91c0b7d3 --now");
}

// -- CAES

TEST(Undelegation, TakesTheFewestSharesThatBringTheAmount) {
  using caesar::Amount;
  for (const auto& [total, shares] : std::vector<std::pair<std::uint64_t, std::uint64_t>>{
           {100, 100}, {107, 100}, {1000, 7}, {7, 1000}, {1, 1}, {1ull << 60, ~0ull}}) {
    const caesar::DelegationPool pool{Amount{total}, shares};
    for (const std::uint64_t wanted : {std::uint64_t{1}, total / 3 + 1, total}) {
      const auto taken = shares_worth(pool, Amount{wanted});
      ASSERT_TRUE(taken) << total << " " << shares << " " << wanted;
      EXPECT_GE(worth_of(pool, *taken).value, wanted);
      EXPECT_LT(worth_of(pool, *taken - 1).value, wanted);
    }
    EXPECT_FALSE(shares_worth(pool, Amount{total + 1}));
  }
  EXPECT_FALSE(shares_worth({Amount{0}, 5}, Amount{1}));
}

const ordered_json kStaking =
    received({{"validators",
               {{{"node", "cc03"}, {"delegated", "107"}, {"shares", 100'000'000'000}},
                {{"node", "dd04"}, {"delegated", "0"}, {"shares", 0}}}}});
const ordered_json kWallet = received(
    {{"owner", "aa01"},
     {"name", "alice"},
     {"balance", "5"},
     {"bond", "10"},
     {"staked", "7"},
     {"escrowed", "2.25"},
     {"unbonding_entries",
      {{{"amount", "3"}, {"release_ms", kNow.value + 60'000}},
       {{"amount", "4"}, {"release_ms", kNow.value + 3'600'000}}}},
     {"delegations",
      {{{"validator", "cc03"}, {"name", "node2"}, {"shares", 50'000'000'000}, {"worth", "53.5"}}}},
     {"assets", 3},
     {"nodes", {"cc03"}},
     {"next_sequence", 9}});

TEST(Undelegation, OfMoreThanIsThereIsRefusedWithWhatIsThere) {
  const auto there = delegated_with(kStaking, kWallet, "cc03");
  ASSERT_TRUE(there);
  EXPECT_EQ(shares_to_take(*there, std::nullopt), 50'000'000'000u);
  EXPECT_EQ(shares_to_take(*there, caesar::Amount{53'500'000'000}), 50'000'000'000u);
  const auto above = shares_to_take(*there, caesar::Amount{53'500'000'001});
  ASSERT_FALSE(above);
  EXPECT_NE(above.error().why.find("53.5 CAES"), std::string::npos);
  EXPECT_NE(above.error().to_do.find("--all"), std::string::npos);
  EXPECT_FALSE(delegated_with(kStaking, kWallet, "dd04"));
  EXPECT_FALSE(delegated_with(kStaking, kWallet, "ee05"));
  EXPECT_FALSE(delegated_with(ordered_json(), ordered_json(), "cc03"));
}

TEST(Wallet, ShowsAllThatAnOwnerHasAndWhenItIsFree) {
  const auto lines = wallet_lines(kWallet, kNow);
  EXPECT_EQ(value_of(lines, "owner"), "alice (aa01)");
  EXPECT_EQ(value_of(lines, "balance"), "5 CAES");
  EXPECT_EQ(value_of(lines, "staked"), "7 CAES of the bond, behind own validators");
  EXPECT_EQ(value_of(lines, "escrow"), "2.25 CAES held by leases");
  EXPECT_EQ(value_of(lines, "unbonding"), "3 CAES, free 2023-11-14 22:14:20 UTC (in 1 min)");
  EXPECT_EQ(value_of(lines, "delegated"), "53.5 CAES with node2 (50000000000 shares)");
  EXPECT_EQ(last_release(kWallet), kNow.value + 3'600'000);
}

TEST(Allowance, IsShownOfTheOwnersNodesOnly) {
  const auto nodes =
      received({{"nodes",
                 {{{"id", "cc03"}, {"name", "node1"}, {"owner", "aa01"}, {"allowance", "2.5"}},
                  {{"id", "dd04"}, {"name", "node2"}, {"owner", "bb02"}, {"allowance", "7"}},
                  {{"id", "ee05"}, {"name", "node3"}, {"owner", "aa01"}, {"allowance", "0"}}}}});
  const auto own = allowances_of(nodes, "aa01", "");
  ASSERT_EQ(own.size(), 2u);
  EXPECT_EQ(own[0].dump(), R"({"id":"cc03","name":"node1","allowance":"2.5"})");
  EXPECT_EQ(own[1]["id"], "ee05");
  EXPECT_EQ(allowances_of(nodes, "aa01", "ee05").size(), 1u);
  EXPECT_TRUE(allowances_of(nodes, "aa01", "dd04").empty());
  EXPECT_TRUE(allowances_of(ordered_json(), "aa01", "").empty());
  EXPECT_EQ(allowance_in_words("node1", caesar::Amount{2'500'000'000}),
            "node1 may spend up to 2.5 CAES on leases by itself");
  EXPECT_EQ(allowance_in_words("node1", {}), "node1 spends nothing on leases by itself");
}

TEST(Amounts, ToMoveAreAboveZero) {
  EXPECT_TRUE(amount_above_zero("0.000000001"));
  for (const char* bad : {"", "0", "0.0", "-1", "1e3", "1.0000000001", "x"}) {
    EXPECT_FALSE(amount_above_zero(bad)) << bad;
  }
}

// -- Bills

const std::string kLease = std::string(62, '0') + "a1";

std::vector<ordered_json> sample_bill_lines() {
  const auto line = [](const char* paid, const char* fee, int delivered) {
    return received({{"lease", kLease},
                     {"state_key", "0f" + kLease},
                     {"asset", "cpu:01:ff"},
                     {"quantity", 1000},
                     {"price", "0.5/1000"},
                     {"counted_ms", delivered},
                     {"used", 150},
                     {"disputed_intervals", 1},
                     {"paid", paid},
                     {"fee", fee},
                     {"state", "closed"}});
  };
  return {line("1.25", "0.05", 60'000), line("0.000000001", "0", 1)};
}
const ordered_json kTotals = received({{"counted_ms", 60'001},
                                       {"paid", "1.250000001"},
                                       {"fee", "0.05"},
                                       {"disputed_intervals", 2},
                                       {"escrowed", "3"}});

TEST(Bills, EveryLineNamesItsRecord) {
  EXPECT_EQ(lease_state_key(kLease), "0f" + kLease);
  EXPECT_EQ(lease_state_key("a1"), "");
  const auto rows = bill_rows(sample_bill_lines());
  ASSERT_EQ(rows.size(), 2u);
  ASSERT_EQ(rows[0].size(), bill_heads().size());
  EXPECT_EQ(rows[0][1].text, "0f" + kLease);
  EXPECT_EQ(rows[0][6].text, "150 millicores for 1 s");
  EXPECT_EQ(rows[0][8].text, "1.25");
  EXPECT_EQ(reward_rows(sample_bill_lines())[0].size(), reward_heads().size());
}

TEST(Bills, UseIsToldAsIfInOneHourOrSecond) {
  EXPECT_EQ(use_in_words(0, "bytes"), "nothing");
  EXPECT_EQ(use_in_words(3'599, "millicores"), "3599 millicores for 1 s");
  EXPECT_EQ(use_in_words(3'600, "millicores"), "1 millicore for 1 h");
  EXPECT_EQ(use_in_words(9'000'000, "millicores"), "2.5 cores for 1 h");
  EXPECT_EQ(use_in_words(3'600ull << 30, "bytes"), "1 GiB for 1 h");
}

TEST(Bills, AddUpOrSayThatTheyDoNot) {
  EXPECT_TRUE(bill_faults(sample_bill_lines(), kTotals).empty());
  EXPECT_TRUE(bill_faults({}, {{"paid", "0"}, {"fee", "0"}}).empty());
  const auto faults_with = [](auto change) {
    auto lines = sample_bill_lines();
    ordered_json totals = kTotals;
    change(lines, totals);
    return bill_faults(lines, totals).size();
  };
  using Lines = std::vector<ordered_json>;
  EXPECT_EQ(faults_with([](Lines&, ordered_json& t) { t["paid"] = "1.25"; }), 1u);
  EXPECT_EQ(faults_with([](Lines&, ordered_json& t) { t["counted_ms"] = 60'000u; }), 1u);
  EXPECT_EQ(faults_with([](Lines& l, ordered_json&) { l[1]["paid"] = "no"; }), 1u);
  EXPECT_EQ(faults_with([](Lines& l, ordered_json&) { l[1]["state_key"] = "0f"; }), 1u);
  EXPECT_EQ(faults_with([](Lines& l, ordered_json&) { l[1].erase("lease"); }), 1u);
  EXPECT_EQ(faults_with([](Lines& l, ordered_json&) { l.pop_back(); }), 3u);
  EXPECT_EQ(faults_with([](Lines&, ordered_json& t) { t = nullptr; }), 1u);
}

// -- Trust

const ordered_json kTrust = received(
    {{"node", "cc03"},
     {"score", 497},
     {"terms",
      {{{"name", "neutral"}, {"count", 0}, {"contribution", 500}},
       {{"name", trust::name_of(trust::Event::Witnessed)}, {"count", 12'500}, {"contribution", 2}},
       {{"name", trust::name_of(trust::Event::Missed)}, {"count", 1'000}, {"contribution", -5}}}}});

TEST(TrustView, TermsAddUpToTheScoreOrItSaysSo) {
  EXPECT_EQ(trust_fault(kTrust), "");
  ordered_json wrong = kTrust;
  wrong["score"] = 500;
  EXPECT_NE(trust_fault(wrong).find("add up to 497"), std::string::npos);
}

TEST(TrustView, EveryTermIsExplained) {
  const auto rows = trust_rows(kTrust);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0][2].text, "+500");
  EXPECT_EQ(rows[1][1].text, "12.5");
  EXPECT_EQ(rows[2][2].text, "-5");
  for (std::size_t i = 0; i < trust::kEvents; ++i) {
    const auto name = trust::name_of(static_cast<trust::Event>(i));
    EXPECT_NE(event_in_words(std::string(name)), "") << name;
  }
  EXPECT_EQ(count_in_words(1), "0.001");
  EXPECT_EQ(count_in_words(2'000), "2");
}

}  // namespace
}  // namespace hm::cli
