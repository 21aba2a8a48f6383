// SPDX-License-Identifier: Apache-2.0
// Writes one JSON document in the order of the calls. It cannot fail: text that is not UTF-8 comes
// out with U+FFFD in place of the bad bytes. Nesting and commas are its business; that every key
// has a value is the caller's.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hm::api {

class JsonWriter {
 public:
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  JsonWriter& value(bool flag);
  template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>)
  JsonWriter& value(T number) {
    return unsigned_number(number);
  }
  template <std::signed_integral T>
  JsonWriter& value(T number) {
    return signed_number(number);
  }
  // null when empty.
  template <class T>
  JsonWriter& value(const std::optional<T>& item) {
    return item ? value(*item) : null();
  }
  JsonWriter& value(const std::vector<std::string>& items);
  JsonWriter& null();
  // A value that is JSON already.
  JsonWriter& raw(std::string_view json);

  template <class T>
  JsonWriter& member(std::string_view name, const T& item) {
    return key(name).value(item);
  }

  std::string take() && { return std::move(out_); }

 private:
  JsonWriter& unsigned_number(std::uint64_t number);
  JsonWriter& signed_number(std::int64_t number);
  void separate();
  void quote(std::string_view text);

  std::string out_;
  bool comma_ = false;
};

}  // namespace hm::api
