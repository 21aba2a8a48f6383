// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/object_transfer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/progress_line.h"
#include "apps/hypermesh/terminal.h"
#include "core/api/storage_request.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

// Of a broken transfer, until the node is asked for the reason by its next answer.
constexpr int kMostBreaks = 4;
constexpr std::chrono::milliseconds kBetweenTries{500};

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ",") + text;
  return all;
}

// A source for the client that keeps why it failed.
class Source {
 public:
  Source(const ReadBytes& read, std::string what, std::uint64_t total)
      : read_(read), what_(std::move(what)), total_(total) {}

  http::BodySource body() {
    return [this](std::span<char> room) -> Result<std::size_t> {
      auto count = read_(room);
      if (!count) {
        failure_ = std::move(count.error());
        return fail(ErrorCode::Io, failure_->what);
      }
      done_ += *count;
      progress_.show(what_, done_, total_);
      if (*count == 0) progress_.show("waiting until it is stored", 0, 0);
      return *count;
    };
  }
  Answer<ordered_json> outcome(Answer<ordered_json> answer) {
    if (failure_) return std::unexpected(std::move(*failure_));
    return answer;
  }

 private:
  const ReadBytes& read_;
  std::string what_;
  std::uint64_t total_;
  std::uint64_t done_ = 0;
  std::optional<Failure> failure_;
  ProgressLine progress_;
};

// A pipe whose ends close with it.
struct Pipe {
  int ends[2] = {-1, -1};
  Pipe() = default;
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  bool open() { return ::pipe(ends) == 0; }
  void close_end(int which) {
    if (ends[which] >= 0) ::close(ends[which]);
    ends[which] = -1;
  }
};

Outcome write_all(int fd, std::string_view piece) {
  while (!piece.empty()) {
    const ssize_t n = ::write(fd, piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(ExitCode::Failure, "the copy was broken off");
    piece.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

}  // namespace

std::string query_of(const StoreWish& wish) {
  std::string query;
  const auto add = [&](std::string_view key, const std::string& value) {
    if (!value.empty()) query += fmt::format("&{}={}", key, escape(value));
  };
  add("code", wish.code);
  add("profile", wish.profile);
  add("sharing", wish.is_alone ? "alone" : "");
  add("compress", wish.no_compress ? "never" : "");
  add("readers", joined(wish.readers));
  return query;
}

std::vector<ports::HttpHeader> conditions_of(const StoreWish& wish) {
  std::vector<ports::HttpHeader> headers;
  if (wish.only_new) headers.push_back({"If-None-Match", "*"});
  if (wish.only_etag) headers.push_back({"If-Match", *wish.only_etag});
  return headers;
}

std::vector<ports::HttpHeader> headers_of(const StoreWish& wish) {
  std::vector<ports::HttpHeader> headers = conditions_of(wish);
  for (const auto& [key, value] : wish.metadata) {
    headers.push_back({"X-Object-Meta-" + key, api::to_header_text(value)});
  }
  return headers;
}

Answer<ordered_json> send_object(ObjectAccess& access, const std::string& name,
                                 const StoreWish& wish, std::optional<std::uint64_t> length,
                                 const ReadBytes& read) {
  Source source(read, "storing " + printable(name), length.value_or(0));
  return source.outcome(access.client.upload(
      ports::HttpMethod::Put, object_path("/objects/content", name) + query_of(wish), length,
      source.body(), headers_of(wish), access.token));
}

Answer<ordered_json> send_batch(ObjectAccess& access, const StoreWish& wish, std::uint64_t plain,
                                std::uint64_t length, const ReadBytes& read) {
  Source source(read, "storing files", length);
  return source.outcome(access.client.upload(
      ports::HttpMethod::Post, fmt::format("/objects/batch?bytes={}{}", plain, query_of(wish)),
      length, source.body(), headers_of(wish), access.token));
}

Outcome receive_object(ObjectAccess& access, const std::string& name, const std::string& etag,
                       std::uint64_t begin, std::uint64_t end, const TakeBytes& take,
                       Progress shown) {
  ProgressLine progress;
  const std::string what = "getting " + printable(name);
  const std::uint64_t first = begin;
  int breaks = 0;
  std::optional<Failure> failure;
  const http::BodySink sink = [&](std::string_view piece) -> Result<void> {
    if (auto taken = take(piece); !taken) {
      failure = std::move(taken.error());
      return fail(ErrorCode::Io, failure->what);
    }
    begin += piece.size();
    if (shown == Progress::Shown) progress.show(what, begin - first, end - first);
    return {};
  };
  for (;;) {
    std::optional<http::ByteRange> range;
    if (begin < end) range = http::ByteRange{begin, end - 1};
    const std::uint64_t before = begin;
    const auto got = access.client.download(object_path("/objects/content", name), range, sink,
                                            {{"If-Match", etag}}, access.token);
    if (failure) return std::unexpected(std::move(*failure));
    if (got && begin == end) return {};
    if (!got && got.error().exit != ExitCode::NotReachable) return std::unexpected(got.error());
    if (begin > before) breaks = 0;
    if (++breaks > kMostBreaks) {
      return failed(ExitCode::NotReachable, fmt::format("the transfer of {} broke off", name),
                    fmt::format("{} of {} bytes had come", begin - first, end - first),
                    "'hypermesh stat' says whether all of it can be had; --resume goes on");
    }
    std::this_thread::sleep_for(kBetweenTries);
  }
}

Answer<ordered_json> copy_object(ObjectAccess& access, const ordered_json& from,
                                 const std::string& to, const StoreWish& wish) {
  Pipe pipe;
  if (!pipe.open()) return failed(ExitCode::Failure, "no pipe for the copy");
  const std::uint64_t size = number_of(from, "size");
  Outcome received;
  ObjectAccess reading{ApiClient(access.client.endpoint()), access.token};
  std::thread reader([&] {
    received = receive_object(
        reading, text_of(from, "name"), text_of(from, "etag"), 0, size,
        [&](std::string_view piece) { return write_all(pipe.ends[1], piece); }, Progress::Silent);
    pipe.close_end(1);
  });
  std::uint64_t sent = 0;
  auto report =
      send_object(access, to, wish, size, [&](std::span<char> room) -> Answer<std::size_t> {
        for (;;) {
          const ssize_t n = ::read(pipe.ends[0], room.data(), room.size());
          if (n < 0 && errno == EINTR) continue;
          if (n < 0 || (n == 0 && sent < size)) {
            return failed(ExitCode::Failure, "the object could not be read to its end");
          }
          sent += static_cast<std::uint64_t>(n);
          return static_cast<std::size_t>(n);
        }
      });
  pipe.close_end(0);  // a reader that still writes is told
  reader.join();
  if (!report && !received && sent < size) return std::unexpected(std::move(received.error()));
  return report;
}

}  // namespace hm::cli
