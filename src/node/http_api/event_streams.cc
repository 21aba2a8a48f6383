// SPDX-License-Identifier: Apache-2.0
#include "node/http_api/event_streams.h"

#include <algorithm>

#include "core/api/json_writer.h"
#include "core/api/lending_json.h"
#include "core/api/limits.h"
#include "core/api/text.h"
#include "foundation/base/log.h"
#include "node/http_api/limits.h"

namespace hm::http_api {
namespace {

std::string event_text(std::string_view name, std::uint64_t height, api::JsonWriter json) {
  std::string text = "event: ";
  text += name;
  text += "\nid: " + std::to_string(height) + "\ndata: ";
  text += std::move(json).take();
  text += "\n\n";
  return text;
}

std::string block_event(const node::FinalEvent& event) {
  const auto refused = std::ranges::count_if(
      event.outcome.receipts, [](const ledger::Receipt& receipt) { return !!receipt.refused; });
  const auto& header = event.block.header;
  api::JsonWriter json;
  json.begin_object()
      .member("schema", api::kSchema)
      .member("height", header.height)
      .member("hash", event.hash.to_string())
      .member("view", header.view)
      .member("time", api::to_rfc3339(UnixMillis(header.time_ms)))
      .member("operations", event.outcome.receipts.size())
      .member("refused", refused)
      .member("assets_changed", event.outcome.changes.size())
      .member("leases_changed", event.outcome.lease_changes.size())
      .member("state_root", event.outcome.root.to_string())
      .end_object();
  return event_text("block", header.height, std::move(json));
}

std::string asset_event(const ledger::AssetChange& change, std::uint64_t height) {
  api::JsonWriter json;
  json.begin_object()
      .member("schema", api::kSchema)
      .member("event", ledger::name_of(change.event))
      .member("id", change.id.to_string())
      .member("version", change.version)
      .member("operation", change.operation.to_string())
      .member("height", height)
      .end_object();
  return event_text("asset", height, std::move(json));
}

std::string lease_event(const ledger::LeaseChange& change, std::uint64_t height) {
  api::JsonWriter json;
  json.begin_object().member("schema", api::kSchema);
  api::write_lease_change_members(json, change);
  json.member("height", height).end_object();
  return event_text("lease", height, std::move(json));
}

// The first changes of a block, and a gap in place of the others.
template <class Change>
std::string change_events(const std::vector<Change>& changes, std::uint64_t height,
                          std::string (*event_of)(const Change&, std::uint64_t)) {
  std::string text;
  for (std::size_t i = 0; i < changes.size() && i < kMaxChangeEvents; ++i) {
    text += event_of(changes[i], height);
  }
  if (changes.size() > kMaxChangeEvents) {
    api::JsonWriter json;
    json.begin_object()
        .member("schema", api::kSchema)
        .member("height", height)
        .member("missing", changes.size() - kMaxChangeEvents)
        .end_object();
    text += event_text("gap", height, std::move(json));
  }
  return text;
}

}  // namespace

EventStreams::EventStreams(node::Node& node)
    : node_(node), ping_timer_(node.ports().timers.create([this] { ping(); })) {}

std::optional<EventStreams::Kinds> EventStreams::parse_kinds(std::string_view text) {
  if (text.empty()) return Kinds{};
  Kinds kinds{.blocks = false, .assets = false, .leases = false};
  while (!text.empty()) {
    const std::size_t end = text.find(',');
    const std::string_view kind = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (kind == "block") {
      kinds.blocks = true;
    } else if (kind == "asset") {
      kinds.assets = true;
    } else if (kind == "lease") {
      kinds.leases = true;
    } else {
      return std::nullopt;
    }
  }
  return kinds;
}

void EventStreams::add(std::shared_ptr<ports::HttpStream> stream, Kinds kinds, std::string peer) {
  subscribers_.push_back({std::move(stream), kinds, std::move(peer)});
  if (subscribers_.size() == 1) ping_timer_->arm(node_.ports().clock.now() + kStreamPing);
}

void EventStreams::publish(const node::FinalEvent& event) {
  if (subscribers_.empty()) return;
  const std::uint64_t height = event.block.header.height;
  send(block_event(event), &Kinds::blocks);
  const std::string assets = change_events(event.outcome.changes, height, asset_event);
  if (!assets.empty()) send(assets, &Kinds::assets);
  const std::string leases = change_events(event.outcome.lease_changes, height, lease_event);
  if (!leases.empty()) send(leases, &Kinds::leases);
}

void EventStreams::send(const std::string& text, bool Kinds::* wanted) {
  std::erase_if(subscribers_, [&](const Subscriber& subscriber) {
    if (!(subscriber.kinds.*wanted)) return !subscriber.stream->is_open();
    const auto result = subscriber.stream->write(text);
    if (result == ports::HttpStream::WriteResult::TooSlow) {
      ++dropped_;
      log::warning("api", "event stream cut off: its reader is too slow",
                   {{"peer", subscriber.peer}});
    }
    return result != ports::HttpStream::WriteResult::Queued;
  });
}

void EventStreams::ping() {
  std::erase_if(subscribers_, [](const Subscriber& subscriber) {
    return subscriber.stream->write(":\n\n") != ports::HttpStream::WriteResult::Queued;
  });
  if (!subscribers_.empty()) ping_timer_->arm(node_.ports().clock.now() + kStreamPing);
}

}  // namespace hm::http_api
