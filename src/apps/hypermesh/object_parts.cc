// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/object_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "apps/hypermesh/file_source.h"
#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/progress_line.h"
#include "apps/hypermesh/terminal.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

// While the end of one part is on its way to disks, the next one is read and encoded.
constexpr std::size_t kLanes = 2;
constexpr std::uint64_t kMostParts = 10'000;
constexpr std::size_t kHashRoom = std::size_t{1} << 20;

// Whatever the node cannot take right now: it may not have noticed yet that the command before this
// one is gone.
constexpr int kMostTries = 8;
constexpr std::chrono::milliseconds kBetweenTries{500};

template <class Call>
auto patiently(Call call, const std::function<bool()>& may_retry = [] { return true; }) {
  for (int tries = 1;; ++tries) {
    auto answer = call();
    const bool is_busy = !answer && answer.error().exit == ExitCode::NoCapacity;
    if (!is_busy || tries == kMostTries || !may_retry()) return answer;
    std::this_thread::sleep_for(kBetweenTries);
  }
}

std::uint64_t part_bytes_of(std::uint64_t size) {
  constexpr std::uint64_t kStep = std::uint64_t{1} << 20;
  const std::uint64_t least = (size + kMostParts - 1) / kMostParts;
  return std::max(kPartBytes, (least + kStep - 1) / kStep * kStep);
}

// Of a part, in turn.
class PartSource {
 public:
  PartSource(const FileParts& file, std::uint64_t begin, std::uint64_t end)
      : file_(file), begin_(begin), at_(begin), end_(end) {}

  Answer<std::size_t> read(std::span<char> room) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(room.size(), end_ - at_));
    if (wanted == 0) return std::size_t{0};
    HM_CLI_TRY(const std::size_t count, file_.read(at_, room.first(wanted)));
    at_ += count;
    hasher_.update(as_bytes(std::string_view(room.data(), count)));
    // What was read of a file that changed was never its content.
    if (at_ == end_) HM_CLI_TRY_VOID(file_.check_unchanged());
    return count;
  }
  bool has_begun() const { return at_ != begin_; }
  std::string content() const { return hasher_.digest().to_string(); }

 private:
  const FileParts& file_;
  std::uint64_t begin_;
  std::uint64_t at_;
  std::uint64_t end_;
  blake3::Hasher hasher_;
};

// What the node keeps of one file, and what is still to be sent.
class PartedSending {
 public:
  PartedSending(ObjectAccess& access, const PartedPut& put, const StoreWish& wish,
                const FileParts& file)
      : access_(access),
        put_(put),
        wish_(wish),
        file_(file),
        part_bytes_(part_bytes_of(file.size())) {}

  Answer<ordered_json> send() {
    HM_CLI_TRY_VOID(find());
    if (upload_.empty()) HM_CLI_TRY_VOID(begin());
    // Nothing is sent before all that is there was compared.
    HM_CLI_TRY_VOID(
        in_lanes([this](ObjectAccess&, std::uint64_t number) { return compare(number); }));
    HM_CLI_TRY_VOID(in_lanes(
        [this](ObjectAccess& access, std::uint64_t number) { return send_part(access, number); }));
    HM_CLI_TRY_VOID(file_.check_unchanged());
    progress_.show("waiting until it is stored", 0, 0);
    const auto complete = [&] {
      return access_.client.post(below("/complete"), {{"bytes", file_.size()}}, access_.token,
                                 conditions_of(wish_));
    };
    HM_CLI_TRY(ordered_json report, patiently(complete));
    report["plain_bytes"] = sent_;
    report["shared_bytes"] = shared_;
    report["stored_bytes"] = stored_ + number_of(report, "stored_bytes");
    report["unplaced"] = unplaced_ + number_of(report, "unplaced");
    report["resumed_bytes"] = resumed_;
    return report;
  }

 private:
  std::string below(std::string_view path) const {
    return fmt::format("/objects/uploads/{}{}", upload_, path);
  }
  std::uint64_t begin_of(std::uint64_t number) const { return (number - 1) * part_bytes_; }
  std::uint64_t end_of(std::uint64_t number) const {
    return std::min(file_.size(), number * part_bytes_);
  }

  ordered_json note() const {
    return {{"file", std::filesystem::absolute(put_.path).lexically_normal().string()},
            {"size", file_.size()},
            {"changed", file_.changed()},
            {"wish", query_of(wish_)},
            {"metadata", wish_.metadata}};
  }

  // What an earlier command left of this file.
  Outcome find() {
    HM_CLI_TRY(const ordered_json found,
               access_.client.get("/objects/uploads?name=" + escape(put_.name), access_.token));
    for (const ordered_json& upload : list_of(found, "uploads")) {
      const ordered_json then = ordered_json::parse(text_of(upload, "note"), nullptr, false);
      if (text_of(then, "file") != text_of(note(), "file")) continue;
      const bool is_same = then == ordered_json::parse(note().dump()) &&
                           number_of(upload, "part_bytes") == part_bytes_;
      if (is_same) {
        upload_ = text_of(upload, "id");
        return read_parts();
      }
      if (put_.must_match) return refuse(upload, then);
      // Whoever sends it just now keeps it.
      (void)patiently([&] {
        return access_.client.remove("/objects/uploads/" + text_of(upload, "id"), access_.token);
      });
    }
    return {};
  }

  Outcome refuse(const ordered_json& upload, const ordered_json& then) const {
    const ordered_json now = note();
    std::string why = "it was to be stored with other options";
    if (then["changed"] != now["changed"]) why = "it was written to since";
    if (then["size"] != now["size"]) {
      why = fmt::format("it had {} bytes then, and has {} now", number_of(then, "size"),
                        file_.size());
    }
    return failed(
        ExitCode::Failure,
        fmt::format("{} is not what was being stored as {}", put_.path, put_.name), why,
        fmt::format("without --resume all of it is sent anew; 'hypermesh storage uploads' "
                    "lists what is there (upload {})",
                    short_id(text_of(upload, "id"))));
  }

  Outcome begin() {
    ordered_json body = {{"part_bytes", part_bytes_}, {"bytes", file_.size()}};
    body["note"] = note().dump();
    HM_CLI_TRY(const ordered_json begun,
               access_.client.post(object_path("/objects/uploads", put_.name) + query_of(wish_),
                                   body, access_.token, headers_of(wish_)));
    upload_ = text_of(member_of(begun, "upload"), "id");
    return {};
  }

  Outcome read_parts() {
    for (std::uint64_t after = 0;;) {
      HM_CLI_TRY(
          const ordered_json page,
          access_.client.get(below(fmt::format("?limit=1000&after={}", after)), access_.token));
      for (const ordered_json& part : list_of(page, "parts")) {
        there_[number_of(part, "number")] = text_of(part, "content");
      }
      if (member_of(page, "next_after").is_null()) return {};
      after = number_of(page, "next_after");
    }
  }

  // Each lane takes the next part until none is left, or one failed.
  Outcome in_lanes(const std::function<Outcome(ObjectAccess&, std::uint64_t number)>& deal) {
    next_ = 1;
    std::vector<std::thread> lanes;
    for (std::size_t i = 0; i < kLanes; ++i) {
      lanes.emplace_back([this, &deal] {
        ObjectAccess own{ApiClient(access_.client.endpoint()), access_.token};
        while (const auto number = next()) {
          if (auto done = deal(own, *number); !done) fail_with(std::move(done.error()));
        }
      });
    }
    for (std::thread& lane : lanes) lane.join();
    if (!failure_) return {};
    if (failure_->exit == ExitCode::NotReachable) {
      failure_->to_do = "what was sent is kept for a week: the same command goes on with it";
    }
    return std::unexpected(std::move(*failure_));
  }

  std::optional<std::uint64_t> next() {
    const std::lock_guard lock(mutex_);
    if (failure_ || begin_of(next_) >= file_.size()) return std::nullopt;
    return next_++;
  }
  bool has_failed() {
    const std::lock_guard lock(mutex_);
    return failure_.has_value();
  }
  void fail_with(Failure failure) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::move(failure);
  }
  void show(std::uint64_t more) {
    const std::lock_guard lock(mutex_);
    done_ += more;
    progress_.show("storing " + printable(put_.name), done_, file_.size());
  }

  Outcome compare(std::uint64_t number) {
    const auto found = there_.find(number);
    if (found == there_.end()) return {};
    PartSource source(file_, begin_of(number), end_of(number));
    std::vector<char> room(kHashRoom);
    for (;;) {
      HM_CLI_TRY(const std::size_t count, source.read(room));
      if (count == 0) break;
    }
    if (source.content() == found->second) {
      const std::uint64_t size = end_of(number) - begin_of(number);
      show(size);
      const std::lock_guard lock(mutex_);
      same_.insert(number);
      resumed_ += size;
      return {};
    }
    if (!put_.must_match) return {};
    return failed(ExitCode::Failure,
                  fmt::format("{} is not what was being stored as {}", put_.path, put_.name),
                  fmt::format("part {} of it has another content than what is there", number),
                  "without --resume that part is sent anew");
  }

  Outcome send_part(ObjectAccess& access, std::uint64_t number) {
    if (same_.contains(number)) return {};
    const std::uint64_t size = end_of(number) - begin_of(number);
    PartSource source(file_, begin_of(number), end_of(number));
    std::optional<Failure> failure;
    const http::BodySource body = [&](std::span<char> room) -> Result<std::size_t> {
      if (has_failed()) return fail(ErrorCode::Io, "another part failed");
      auto count = source.read(room);
      if (!count) {
        failure = std::move(count.error());
        return fail(ErrorCode::Io, failure->what);
      }
      show(*count);
      return *count;
    };
    const auto put = [&] {
      return access.client.upload(ports::HttpMethod::Put,
                                  below(fmt::format("/part?number={}", number)), size, body, {},
                                  access.token);
    };
    const auto report = patiently(put, [&] { return !source.has_begun(); });
    if (failure) return std::unexpected(std::move(*failure));
    if (!report) return std::unexpected(report.error());
    if (text_of(member_of(*report, "part"), "content") != source.content()) {
      return failed(ExitCode::Failure, fmt::format("{} came to the node otherwise", put_.name),
                    fmt::format("part {} has another hash there", number),
                    "this machine may be faulty; store it again and compare");
    }
    const std::lock_guard lock(mutex_);
    sent_ += size;
    shared_ += number_of(*report, "shared_bytes");
    stored_ += number_of(*report, "stored_bytes");
    unplaced_ += number_of(*report, "unplaced");
    return {};
  }

  ObjectAccess& access_;
  const PartedPut& put_;
  const StoreWish& wish_;
  const FileParts& file_;
  const std::uint64_t part_bytes_;
  std::string upload_;
  std::map<std::uint64_t, std::string> there_;  // contents by number; not changed by lanes

  std::mutex mutex_;  // what is below is the lanes'
  std::uint64_t next_ = 1;
  std::set<std::uint64_t> same_;  // parts that need not be sent
  std::uint64_t done_ = 0;
  std::uint64_t resumed_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t shared_ = 0;
  std::uint64_t stored_ = 0;
  std::uint64_t unplaced_ = 0;
  std::optional<Failure> failure_;
  ProgressLine progress_;
};

}  // namespace

Answer<ordered_json> send_in_parts(ObjectAccess& access, const PartedPut& put,
                                   const StoreWish& wish) {
  HM_CLI_TRY(const FileParts file, FileParts::open(put.path));
  return PartedSending(access, put, wish, file).send();
}

}  // namespace hm::cli
