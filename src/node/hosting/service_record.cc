// SPDX-License-Identifier: Apache-2.0
#include "node/hosting/service_record.h"

#include <algorithm>
#include <utility>

#include "node/hosting/limits.h"

namespace hm::hosting {
namespace {

std::uint64_t time_out(Blame blame, std::uint32_t times) {
  const bool is_blamed = blame == Blame::Provider;
  std::uint64_t time = is_blamed ? kLeftOutMillis : kPassedOverMillis;
  const std::uint64_t most = is_blamed ? kLongestLeftOutMillis : kLongestPassedOverMillis;
  for (std::uint32_t i = 1; i < times && time < most; ++i) time *= 2;
  return std::min(time, most);
}

}  // namespace

void leave_out(ServiceRecord& service, const ReplicaRecord& replica, Blame blame, std::string why,
               UnixMillis now) {
  auto entry = std::ranges::find(service.left_out, replica.owner, &LeftOut::owner);
  if (entry == service.left_out.end()) {
    if (service.left_out.size() >= kMaxLeftOut) {
      service.left_out.erase(std::ranges::min_element(service.left_out, {}, &LeftOut::at));
    }
    service.left_out.push_back({.owner = replica.owner, .times = 0});
    entry = std::prev(service.left_out.end());
  }
  if (now.value > entry->until.value + kForgiveMillis) entry->times = 0;
  entry->node = replica.provider;
  entry->why = std::move(why);
  entry->at = now;
  ++entry->times;
  const UnixMillis until{now.value + time_out(blame, entry->times)};
  entry->until = std::max(entry->until, until);
}

bool is_left_out(const ServiceRecord& service, const identity::OwnerId& owner, UnixMillis now) {
  const auto entry = std::ranges::find(service.left_out, owner, &LeftOut::owner);
  return entry != service.left_out.end() && now < entry->until;
}

}  // namespace hm::hosting
