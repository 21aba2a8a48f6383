// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/grant_json.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "apps/hypermesh/api_client.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

// The first fault is remembered, so that reading may go on without asking at each step.
class ObjectReader {
 public:
  explicit ObjectReader(const ordered_json& object) : object_(object) {
    is_good_ = object.is_object();
  }

  bool has(const char* key) const { return object_.is_object() && object_.contains(key); }
  const ordered_json& object(const char* key) {
    static const ordered_json kEmpty = ordered_json::object();
    if (!has(key) || !object_[key].is_object()) {
      is_good_ = false;
      return kEmpty;
    }
    return object_[key];
  }
  template <class T>
  T number(const char* key, T most = std::numeric_limits<T>::max()) {
    if (!has(key) || !object_[key].is_number_unsigned()) {
      is_good_ = false;
      return {};
    }
    const auto value = object_[key].get<std::uint64_t>();
    is_good_ = is_good_ && value <= most;
    return static_cast<T>(value);
  }
  template <class T>
  std::optional<T> maybe_number(const char* key) {
    return has(key) ? std::optional(number<T>(key)) : std::nullopt;
  }
  bool flag(const char* key) {
    if (has(key) && object_[key].is_boolean()) return object_[key].get<bool>();
    is_good_ = false;
    return false;
  }
  template <class Id>
  Id id(const char* key) {
    return parsed(Id::parse(text_of(object_, key)));
  }
  template <class Id>
  std::optional<Id> maybe_id(const char* key) {
    return has(key) ? std::optional(id<Id>(key)) : std::nullopt;
  }
  std::string text(const char* key) {
    is_good_ = is_good_ && has(key) && object_[key].is_string();
    return text_of(object_, key);
  }
  // The value, which must be there.
  template <class T>
  T parsed(const std::optional<T>& value) {
    is_good_ = is_good_ && value.has_value();
    return value.value_or(T{});
  }
  void require(bool holds) { is_good_ = is_good_ && holds; }
  bool is_good() const { return is_good_; }

 private:
  const ordered_json& object_;
  bool is_good_ = true;
};

std::unexpected<Failure> unknown_shape(std::string_view what) {
  return failed(ExitCode::Failure,
                "the node described a " + std::string(what) + " in an unknown way",
                "it may be of another version", "compare 'hypermesh version' on both sides");
}

std::optional<privacy::Grantee> grantee_in(const ordered_json& object) {
  ObjectReader to(object);
  privacy::Grantee grantee = privacy::ToAnyone{};
  if (to.has("owner")) {
    grantee = privacy::ToOwner{to.id<identity::OwnerId>("owner")};
  } else if (to.has("group")) {
    grantee = privacy::ToGroup{to.id<privacy::GroupId>("group")};
  } else if (to.has("certificate")) {
    privacy::CertificatePattern pattern{to.maybe_id<identity::OwnerId>("issuer"),
                                        to.text("certificate")};
    to.require(privacy::is_valid_pattern(pattern.name));
    grantee = std::move(pattern);
  } else {
    to.require(to.flag("anyone"));
  }
  return to.is_good() ? std::optional(std::move(grantee)) : std::nullopt;
}

std::optional<privacy::Hours> hours_in(const ordered_json& object) {
  ObjectReader reader(object);
  privacy::Hours hours;
  hours.from = reader.number<std::uint16_t>("from_minute");
  hours.to = reader.number<std::uint16_t>("to_minute");
  hours.weekdays = reader.number<std::uint8_t>("weekdays");
  const auto offset = object.find("utc_offset_minutes");
  if (offset == object.end() || !offset->is_number_integer()) return std::nullopt;
  const auto minutes = offset->get<std::int64_t>();
  if (minutes < -std::int64_t{privacy::kMinutesPerDay} || minutes > privacy::kMinutesPerDay) {
    return std::nullopt;
  }
  hours.utc_offset = static_cast<std::uint16_t>(privacy::kMinutesPerDay + minutes);
  return reader.is_good() ? std::optional(hours) : std::nullopt;
}

}  // namespace

Answer<privacy::Grant> grant_of_json(const ordered_json& object) {
  ObjectReader reader(object);
  privacy::Grant grant;
  grant.owner = reader.id<identity::OwnerId>("owner");
  grant.issuer = reader.id<identity::OwnerId>("issuer");
  grant.parent = reader.maybe_id<privacy::GrantId>("parent");
  grant.number = reader.number<std::uint64_t>("number");
  grant.to = reader.parsed(grantee_in(reader.object("to")));
  ObjectReader selector(reader.object("assets"));
  if (selector.has("kind")) {
    grant.assets.kind = selector.parsed(assets::parse_kind(selector.text("kind")));
  }
  grant.assets.node = selector.maybe_id<identity::NodeId>("node");
  grant.assets.asset = selector.maybe_id<crypto::Digest>("asset");
  grant.share_percent = reader.number<std::uint8_t>("share_percent");
  ObjectReader limits(reader.object("limits"));
  grant.limits = {limits.maybe_number<std::uint32_t>("concurrent"),
                  limits.maybe_number<std::uint64_t>("quantity"),
                  limits.maybe_number<std::uint64_t>("duration_ms"),
                  limits.maybe_number<std::uint32_t>("opened_per_day")};
  grant.network = reader.parsed(privacy::parse_network(reader.text("network")));
  if (reader.has("hours")) grant.hours = reader.parsed(hours_in(reader.object("hours")));
  grant.when = reader.parsed(privacy::parse_when(reader.text("when")));
  if (reader.has("price")) grant.price = reader.parsed(caesar::parse_price(reader.text("price")));
  if (const auto expiry = reader.maybe_number<std::uint64_t>("expiry_ms")) {
    grant.expiry = UnixMillis(*expiry);
  }
  grant.notice_ms = reader.number<std::uint64_t>("notice_ms");
  grant.delegations = reader.number<std::uint8_t>("delegations");
  const bool is_good = reader.is_good() && selector.is_good() && limits.is_good();
  if (!is_good || !privacy::validate(grant)) return unknown_shape("grant");
  return grant;
}

Answer<GrantRow> grant_row_of_json(const ordered_json& record) {
  ObjectReader reader(record);
  GrantRow row;
  row.id = reader.id<privacy::GrantId>("id");
  HM_CLI_TRY(row.grant, grant_of_json(reader.object("grant")));
  row.revoked = reader.flag("revoked");
  row.open_leases = ObjectReader(reader.object("use")).number<std::uint64_t>("open_leases");
  if (!reader.is_good()) return unknown_shape("grant");
  return row;
}

Answer<GroupRow> group_row_of_json(const ordered_json& record) {
  ObjectReader reader(record);
  GroupRow row;
  row.id = reader.id<privacy::GroupId>("id");
  row.group.owner = reader.id<identity::OwnerId>("owner");
  row.group.name = reader.text("name");
  row.version = reader.number<std::uint64_t>("version");
  if (!reader.has("members") || !record["members"].is_array()) return unknown_shape("group");
  for (const ordered_json& object : record["members"]) {
    const auto member = grantee_in(object);
    if (!member) return unknown_shape("group");
    if (const auto* owner = std::get_if<privacy::ToOwner>(&*member)) {
      row.group.members.emplace_back(*owner);
    } else if (const auto* pattern = std::get_if<privacy::CertificatePattern>(&*member)) {
      row.group.members.emplace_back(*pattern);
    } else {
      return unknown_shape("group");
    }
  }
  if (!reader.is_good() || !privacy::validate(row.group)) return unknown_shape("group");
  return row;
}

}  // namespace hm::cli
