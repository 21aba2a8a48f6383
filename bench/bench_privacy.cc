// SPDX-License-Identifier: Apache-2.0
// What one decision costs: may() over 1000 grants of one owner, in the cases that make it read
// most. The grants lie in memory in the order in which they were made, and their ids are hashes.
//   bench_privacy [--json]
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/privacy/decision.h"
#include "foundation/base/check.h"
#include "foundation/codec/writer.h"

namespace {

using namespace hm;
using namespace hm::privacy;

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kGrants = 1'000;
constexpr std::uint64_t kGroups = 64;
constexpr std::size_t kSamples = 5'000;
constexpr double kBarMicros = 20;

template <class Id>
Id id(std::string_view tag, std::uint64_t number) {
  return {crypto::tagged_hash(tag, codec::encode(number)).bytes};
}
identity::OwnerId owner(std::uint64_t number) { return id<identity::OwnerId>("owner", number); }
GroupId group(std::uint64_t number) { return id<GroupId>("group", number); }

AssetFacts asset() {
  AssetFacts facts;
  facts.hash = id<crypto::Digest>("asset", 0);
  facts.owner = owner(0);
  facts.node = id<identity::NodeId>("node", 0);
  facts.level = assets::PrivacyLevel::FullPublic;
  facts.detected = 1'000;
  facts.free = 1'000;
  return facts;
}

// A grant that has everything that can be checked, and passes the request below.
Grant full_grant(std::uint64_t number) {
  Grant grant;
  grant.owner = grant.issuer = owner(0);
  grant.number = number;
  grant.to = ToOwner{owner(1)};
  grant.assets = {assets::AssetKind::Cpu, asset().node, asset().hash};
  grant.share_percent = 50;
  grant.limits = {10, 100, 86'400'000, 100};
  grant.network = NetworkClass::Mesh;
  grant.hours = Hours{1'200, 480, kMinutesPerDay + 60, 0x7f};
  grant.when = When::Idle;
  grant.price = caesar::Price{caesar::caes(2), 1 + number % 7};
  grant.expiry = UnixMillis{2'000'000'000'000};
  grant.notice_ms = 60'000;
  grant.delegations = 1;
  return grant;
}

Request request() {
  Request asked;
  asked.quantity = 4;
  asked.duration_ms = 3'600'000;
  asked.network = NetworkClass::Mesh;
  asked.highest_price = caesar::Price{caesar::caes(2), 1};
  return asked;
}

// 23:26 in the grants' local time.
constexpr Moment kMoment{UnixMillis{1'760'048'760'000}, Idleness::Idle};

struct Case {
  std::string name;
  std::string method;
  std::vector<Grant> grants;
  std::size_t parents = 0;  // the first so many are parents of the next so many, and so on
  bool allowed = false;
  std::vector<GroupId> groups{};
  std::vector<CertifiedName> certificates{};
};

std::vector<Grant> grants(const std::function<void(Grant&, std::uint64_t)>& change) {
  std::vector<Grant> all;
  for (std::uint64_t i = 0; i < kGrants; ++i) change(all.emplace_back(full_grant(i)), i);
  return all;
}

// The first rule that fails is another one for each of thirteen grants.
void break_one_rule(Grant& grant, std::uint64_t number) {
  switch (number % 13) {
    case 0: grant.to = ToOwner{owner(2)}; break;
    case 1: grant.assets.kind = assets::AssetKind::Gpu; break;
    case 2: grant.assets.asset = id<crypto::Digest>("asset", number); break;
    case 3: grant.expiry = UnixMillis{number}; break;
    case 4: grant.hours = Hours{60, 120, kMinutesPerDay, 0x7f}; break;
    case 5: grant.network = NetworkClass::None; break;
    case 6: grant.limits.duration_ms = number + 1; break;
    case 7: grant.limits.quantity = 1; break;
    case 8: grant.to = ToGroup{group(number)}; break;
    case 9: grant.to = CertificatePattern{owner(0), "*.example.org"}; break;
    case 10: grant.assets.node = id<identity::NodeId>("node", number); break;
    case 11: grant.share_percent = 0; break;
    default: grant.price->amount = caesar::caes(1'000); break;
  }
}

std::vector<CertifiedName> certificates() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < kMaxCertificatesPerOwner; ++i) {
      names.push_back("node.lab-" + std::to_string(i) + ".net");
    }
    return names;
  }();
  std::vector<CertifiedName> all;
  for (const std::string& name : kNames) all.push_back({owner(0), true, name});
  return all;
}

std::vector<GroupId> groups() {
  std::vector<GroupId> all;
  for (std::uint64_t i = 0; i < kGroups; ++i) all.push_back(group(i));
  std::ranges::sort(all);
  return all;
}

std::vector<Case> cases() {
  const auto too_dear = [](Grant& grant, std::uint64_t) {
    grant.price->amount = caesar::caes(1'000);
  };
  std::vector<Case> all;
  all.push_back({"all_fit", "all allow; the cheapest is chosen",
                 grants([](Grant&, std::uint64_t) {}), 0, true});
  all.push_back({"last_fits", "999 fail at the price, the last allows",
                 grants([&](Grant& grant, std::uint64_t i) {
                   if (i + 1 < kGrants) too_dear(grant, i);
                 }),
                 0, true});
  all.push_back({"none_fits", "all fail at the price", grants(too_dear)});
  // What one grant shows says nothing about the next one, and each is read nearly to its end.
  const auto rotating = [&](Grant& grant, std::uint64_t i) {
    switch (i % 4) {
      case 0: too_dear(grant, i); break;
      case 1: grant.share_percent = 1; break;
      case 2: grant.limits.opened_per_day = 1; break;
      default: grant.limits.concurrent = 1; break;
    }
  };
  all.push_back(
      {"rotating", "fail in turn at the last four of the grants' rules", grants(rotating)});
  all.push_back({"different_rules", "thirteen kinds of grants, each failing at another rule",
                 grants(break_one_rule)});
  all.push_back({"groups_rotating", "the same, each to one of the requester's 64 groups",
                 grants([&](Grant& grant, std::uint64_t i) {
                   rotating(grant, i);
                   grant.to = ToGroup{group(i % kGroups)};
                 }),
                 0, false, groups()});
  all.push_back({"groups_miss", "each to another group; the requester is in 64",
                 grants([](Grant& g, std::uint64_t i) { g.to = ToGroup{group(i + kGroups)}; }), 0,
                 false, groups()});
  all.push_back({"certificates_miss",
                 "each to names that none of the requester's 16 certificates has",
                 grants([](Grant& g, std::uint64_t i) {
                   g.to = CertificatePattern{std::nullopt, "*.l" + std::to_string(i) + ".net"};
                 }),
                 0,
                 false,
                 {},
                 certificates()});
  all.push_back({"chains", "200 chains of 5 links, all fitting",
                 grants([](Grant&, std::uint64_t) {}), kGrants / 5, true});
  return all;
}

struct Row {
  std::string name;
  std::string method;
  double p50 = 0;
  double p99 = 0;
};

Row measure(const Case& one) {
  std::vector<GrantView> views;
  for (std::uint64_t i = 0; i < kGrants; ++i) {
    views.push_back({id<GrantId>("grant", i), &one.grants[i], {8, 2, 5}, nullptr});
  }
  for (std::size_t i = one.parents; one.parents != 0 && i < kGrants; ++i) {
    views[i].parent = &views[i - one.parents];
  }
  const Requester requester{owner(1), one.groups, one.certificates};
  const Request asked = request();
  const AssetFacts facts = asset();
  std::vector<double> samples;
  for (std::size_t i = 0; i < kSamples; ++i) {
    const auto start = Clock::now();
    const Decision decision = may(requester, asked, facts, views, kMoment);
    const auto took = Clock::now() - start;
    HM_CHECK(static_cast<bool>(decision) == one.allowed);
    samples.push_back(std::chrono::duration<double, std::micro>(took).count());
  }
  std::ranges::sort(samples);
  return {one.name, one.method, samples[kSamples / 2], samples[kSamples * 99 / 100]};
}

std::string machine() {
  std::ifstream info("/proc/cpuinfo");
  std::string line;
  while (std::getline(info, line)) {
    if (!line.starts_with("model name")) continue;
    const std::string model = line.substr(line.find(':') + 2);
    return model + ", " + std::to_string(std::thread::hardware_concurrency()) + " threads";
  }
  return "unknown";
}

constexpr std::string_view kMethod =
    "one thread, in memory, warm; may() over 1000 grants, 5000 decisions a case; steady clock "
    "around each decision";

void print_text(const std::vector<Row>& rows) {
  std::printf("bench privacy: %s\nmachine: %s\nbuild: %s\nunit: microseconds\n", kMethod.data(),
              machine().c_str(), HM_BUILD_TYPE);
  for (const Row& r : rows) {
    std::printf("%-18s p50 %7.2f   p99 %7.2f   %s\n", r.name.c_str(), r.p50, r.p99,
                r.method.c_str());
  }
  std::printf("bar: every p50 <= %.0f\n", kBarMicros);
}

void print_json(const std::vector<Row>& rows) {
  std::printf(R"({"schema":1,"bench":"privacy","method":"%s","machine":"%s","build":"%s",)",
              kMethod.data(), machine().c_str(), HM_BUILD_TYPE);
  std::printf(R"("unit":"us","bar_us":%.0f,"results":[)", kBarMicros);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::printf(R"(%s{"name":"%s","method":"%s","p50":%.3f,"p99":%.3f})", i == 0 ? "" : ",",
                rows[i].name.c_str(), rows[i].method.c_str(), rows[i].p50, rows[i].p99);
  }
  std::printf("]}\n");
}

}  // namespace

int main(int argc, char** argv) {
  const bool json = argc == 2 && std::string_view(argv[1]) == "--json";
  if (argc > 2 || (argc == 2 && !json)) {
    std::fprintf(stderr, "usage: bench_privacy [--json]\n");
    return 2;
  }
  std::vector<Row> rows;
  for (const Case& one : cases()) rows.push_back(measure(one));
  (json ? print_json : print_text)(rows);
  return 0;
}
