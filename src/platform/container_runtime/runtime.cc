// SPDX-License-Identifier: Apache-2.0
#include "platform/container_runtime/runtime.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <map>
#include <set>
#include <utility>

#include "foundation/base/log.h"
#include "platform/container_runtime/container.h"
#include "platform/container_runtime/copy_task.h"
#include "platform/container_runtime/host.h"
#include "platform/container_runtime/limits.h"
#include "platform/container_runtime/log_stream.h"
#include "platform/container_runtime/volumes.h"
#include "platform/containers_linux/root_filesystem.h"

namespace hm::container_runtime {
namespace asio = boost::asio;

namespace {

using containers::RunSpec;

UnixMillis wall_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return UnixMillis(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now).count()));
}

MonoTime steady_now() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return MonoTime(std::chrono::duration_cast<Duration>(now));
}

std::unexpected<Error> not_there(const std::string& id) {
  return fail(ErrorCode::NotFound, "there is no container " + id);
}

class OciRuntime final : public ports::ContainerRuntime {
 public:
  OciRuntime(asio::io_context& context, ports::Workers& workers, std::shared_ptr<Host> host)
      : context_(context),
        workers_(workers),
        host_(std::move(host)),
        shared_(std::make_shared<Shared>(
            Shared{.context = context, .workers = workers, .host = host_})),
        sampling_(context),
        sweeping_(context) {
    shared_->on_removed = [this](const std::string& id) { containers_.erase(id); };
  }
  ~OciRuntime() override {
    shared_->on_exit = nullptr;
    shared_->on_removed = [](const std::string&) {};
    for (const auto& [id, container] : containers_) container->forget();
    if (containers_.empty()) leave_nothing(*host_);
  }

  void adopt_all();

  const ports::RuntimeFacts& facts() const override { return host_->facts; }
  Result<void> check(const RunSpec& spec) const override;
  std::vector<ports::ExistingContainer> existing() const override;
  void start(ports::ContainerOrder order, ports::UnpackedImage image,
             ports::ContainerStreamListener* listener,
             std::function<void(ports::StreamResult)> done) override;
  void restart(const std::string& id, std::function<void(Result<void>)> done) override;
  void attach(const std::string& id, ports::ContainerStreamListener& listener,
              std::function<void(ports::StreamResult)> done) override;
  void exec(const std::string& id, const containers::ProcessSpec& process,
            ports::ContainerStreamListener& listener,
            std::function<void(ports::StreamResult)> done) override;
  void copy(const std::string& id, ports::CopyDirection direction, const std::string& path,
            ports::ContainerStreamListener& listener,
            std::function<void(ports::StreamResult)> done) override;
  void connect(const std::string& id, std::uint16_t port, ports::ContainerStreamListener& listener,
               std::function<void(ports::StreamResult)> done) override;
  void logs(const std::string& id, std::size_t tail, Follow follow,
            ports::ContainerStreamListener& listener,
            std::function<void(ports::StreamResult)> done) override;
  void signal(const std::string& id, int number, std::function<void(Result<void>)> done) override;
  void kill(const std::string& id, std::function<void(Result<void>)> done) override;
  void usage(const std::string& id,
             std::function<void(Result<ports::ContainerUsage>)> done) override;
  void remove(const std::string& id, std::function<void(Result<void>)> done) override;
  void on_exit(
      std::function<void(const std::string&, const ports::ProcessExit&)> handler) override {
    shared_->on_exit = std::move(handler);
  }

 private:
  // The container, or none after `done` was told so, later.
  template <class Done>
  std::shared_ptr<Container> find(const std::string& id, const Done& done);
  template <class Done>
  void fail_later(const Done& done, Error error) {
    asio::post(context_, [done, error = std::move(error)] { done(hm::fail(error)); });
  }
  Result<std::vector<std::uint32_t>> choose_processors(const RunSpec& spec) const;
  void adopt(const std::string& id);
  void sample_later();
  void sample();
  void sweep_volumes();

  asio::io_context& context_;
  ports::Workers& workers_;
  std::shared_ptr<Host> host_;
  std::shared_ptr<Shared> shared_;
  std::map<std::string, std::shared_ptr<Container>> containers_;
  asio::steady_timer sampling_;
  asio::steady_timer sweeping_;
  bool is_sampling_ = false;
  std::vector<std::unique_ptr<CopyTask>> copies_;
  std::size_t copies_to_come_ = 0;
  struct Alive {};
  // Gone with this; what comes back from a worker or a thread looks at it first.
  std::shared_ptr<Alive> alive_ = std::make_shared<Alive>();
};

template <class Done>
std::shared_ptr<Container> OciRuntime::find(const std::string& id, const Done& done) {
  const auto found = containers_.find(id);
  if (found != containers_.end()) return found->second;
  fail_later(done, not_there(id).error());
  return nullptr;
}

// ---- what there is ----

Result<void> OciRuntime::check(const RunSpec& spec) const {
  if (host_->runtime_path.empty()) {
    return fail(ErrorCode::Unsupported, "this machine cannot run containers", host_->why_none);
  }
  if (const auto valid = containers::validate(spec); !valid) {
    return fail(ErrorCode::InvalidArgument, "the run is not valid",
                std::string(containers::name_of(valid.error())));
  }
  if (!host_->networks->offers(spec.network)) {
    return fail(ErrorCode::Unsupported, "this machine has no network of class " +
                                            std::string(privacy::name_of(spec.network)) +
                                            " for containers");
  }
  if (spec.limits.cpu_millicores > host_->processors.size() * 1000) {
    return fail(ErrorCode::NoCapacity, "this machine has fewer processors than the run asks for");
  }
  const bool is_pinned = spec.limits.cpu_mode == containers::CpuMode::Pinned;
  if (is_pinned && !host_->cgroups->has_cpuset()) {
    return fail(ErrorCode::Unsupported, "this machine cannot give a container its own processors");
  }
  const bool is_throttled = spec.limits.read_bytes_per_second || spec.limits.write_bytes_per_second;
  if (is_throttled && !host_->cgroups->has_io_limit()) {
    return fail(ErrorCode::Unsupported, "this machine cannot limit how fast a container reads");
  }
  if (spec.limits.disk_bytes > 0 || !spec.volumes.empty()) {
    HM_TRY_VOID(containers_linux::can_limit_disk());
  }
  return {};
}

std::vector<ports::ExistingContainer> OciRuntime::existing() const {
  std::vector<ports::ExistingContainer> all;
  for (const auto& [id, container] : containers_) all.push_back(container->existing());
  return all;
}

// Those of the lowest number that no other running container has.
Result<std::vector<std::uint32_t>> OciRuntime::choose_processors(const RunSpec& spec) const {
  std::vector<std::uint32_t> chosen;
  if (spec.limits.cpu_mode != containers::CpuMode::Pinned) return chosen;
  std::set<std::uint32_t> taken;
  for (const auto& [id, container] : containers_) {
    if (container->state() == Container::State::Exited) continue;
    const auto& theirs = container->record().processors;
    taken.insert(theirs.begin(), theirs.end());
  }
  for (const std::uint32_t processor : host_->processors) {
    if (chosen.size() * 1000 < spec.limits.cpu_millicores && !taken.contains(processor)) {
      chosen.push_back(processor);
    }
  }
  if (chosen.size() * 1000 < spec.limits.cpu_millicores) {
    return fail(ErrorCode::NoCapacity, "not enough processors are free to be a container's own");
  }
  return chosen;
}

// ---- adoption ----

void OciRuntime::adopt_all() {
  for (const std::string& id : host_->state.ids()) adopt(id);
  if (!containers_.empty()) sample_later();
  sweep_volumes();
}

void OciRuntime::adopt(const std::string& id) {
  auto record = host_->state.read_order(id);
  if (!record) {
    // The sweep before this removed what has no order; this one cannot be read, and stays.
    log::error("containers", record.error().message, {{"detail", record.error().detail}});
    return;
  }
  std::shared_ptr<void> hold;
  if (host_->options.hold_image) hold = host_->options.hold_image(record->order.spec.image);
  const auto container = std::make_shared<Container>(shared_, *record, std::move(hold));
  containers_.emplace(id, container);
  const UsageTotals totals = host_->state.read_usage(id);
  auto exit = host_->state.read_exit(id);
  if (!exit) {
    if (auto monitor = find_monitor(host_->state.of(id))) {
      container->adopt(std::move(*monitor), totals);
      return;
    }
    // It may have ended between the two looks.
    exit = host_->state.read_exit(id);
  }
  if (!exit) {
    constexpr std::uint8_t kKilledCode = 137;
    exit = ExitRecord{.code = kKilledCode, .at = wall_now(), .seen = 0};
    if (host_->cgroups) (void)host_->cgroups->kill(id);
    (void)host_->state.write_exit(id, *exit);
  }
  const Counted counted = count_start(*host_, *record, *exit, totals);
  if (host_->cgroups) (void)host_->cgroups->remove(id);
  container->adopt(*exit, counted);
}

// ---- requests ----

void OciRuntime::start(ports::ContainerOrder order, ports::UnpackedImage image,
                       ports::ContainerStreamListener* listener,
                       std::function<void(ports::StreamResult)> done) {
  const auto admitted = [&]() -> Result<std::vector<std::uint32_t>> {
    if (!is_id(order.id) || (!order.tenant.empty() && !is_tenant(order.tenant))) {
      return fail(ErrorCode::InvalidArgument, "not an id for a container: " + order.id);
    }
    if (containers_.contains(order.id)) {
      return fail(ErrorCode::AlreadyExists, "there is a container " + order.id + " already");
    }
    HM_TRY_VOID(check(order.spec));
    if (!order.spec.volumes.empty() && order.tenant.empty()) {
      return fail(ErrorCode::InvalidArgument, "volumes without a tenant whose they are");
    }
    return choose_processors(order.spec);
  }();
  if (!admitted) {
    fail_later(done, admitted.error());
    return;
  }
  const std::string id = order.id;
  Record record{.order = std::move(order),
                .layers = std::move(image.layers),
                .image_config = std::move(image.config),
                .processors = *admitted};
  const auto container = std::make_shared<Container>(shared_, std::move(record), image.hold);
  containers_.emplace(id, container);
  container->start(listener, std::move(done));
  sample_later();
}

void OciRuntime::restart(const std::string& id, std::function<void(Result<void>)> done) {
  const auto container = find(id, done);
  if (!container) return;
  auto processors = choose_processors(container->record().order.spec);
  if (!processors) {
    fail_later(done, processors.error());
    return;
  }
  container->restart(std::move(*processors), std::move(done));
}

void OciRuntime::attach(const std::string& id, ports::ContainerStreamListener& listener,
                        std::function<void(ports::StreamResult)> done) {
  if (const auto container = find(id, done)) container->attach(listener, std::move(done));
}

void OciRuntime::exec(const std::string& id, const containers::ProcessSpec& process,
                      ports::ContainerStreamListener& listener,
                      std::function<void(ports::StreamResult)> done) {
  const auto container = find(id, done);
  if (!container) return;
  if (const auto valid = containers::validate(process); !valid) {
    fail_later(done, {.code = ErrorCode::InvalidArgument,
                      .message = "the process is not valid",
                      .detail = std::string(containers::name_of(valid.error()))});
    return;
  }
  container->exec(process, listener, std::move(done));
}

void OciRuntime::copy(const std::string& id, ports::CopyDirection direction,
                      const std::string& path, ports::ContainerStreamListener& listener,
                      std::function<void(ports::StreamResult)> done) {
  const auto container = find(id, done);
  if (!container) return;
  if (copies_.size() + copies_to_come_ >= kMaxCopies) {
    fail_later(done, {.code = ErrorCode::Busy,
                      .message = "as many copies are under way as may be",
                      .detail = {}});
    return;
  }
  ++copies_to_come_;
  auto ends = std::make_shared<Result<CopyEnds>>(CopyEnds{});
  container->jobs().add(
      [ends, direction, path, host = host_, record = container->record()] {
        *ends = open_copy(*host, record, direction, path);
      },
      [ends, direction, &listener, done = std::move(done), alive = std::weak_ptr<Alive>(alive_),
       this] {
        if (alive.expired()) return;
        --copies_to_come_;
        if (!*ends) {
          done(hm::fail(ends->error()));
          return;
        }
        auto task = std::make_unique<CopyTask>(
            context_, std::move(**ends), direction, host_->options.uid_shift, listener,
            [this, alive](CopyTask* over) {
              if (alive.expired()) return;
              std::erase_if(copies_, [over](const auto& one) { return one.get() == over; });
            });
        copies_.push_back(std::move(task));
        done(copies_.back()->stream());
      });
}

void OciRuntime::connect(const std::string& id, std::uint16_t port,
                         ports::ContainerStreamListener& listener,
                         std::function<void(ports::StreamResult)> done) {
  const auto container = find(id, done);
  if (!container) return;
  if (container->state() != Container::State::Running) {
    fail_later(done, {.code = ErrorCode::FailedPrecondition,
                      .message = "container " + id + " does not run",
                      .detail = {}});
    return;
  }
  auto socket = std::make_shared<Result<Descriptor>>(Descriptor());
  workers_.submit(
      [socket, port, path = container->record().network] {
        auto connected = containers_linux::connect_in(path, port);
        if (connected) {
          *socket = Descriptor(*connected);
        } else {
          *socket = hm::fail(std::move(connected).error());
        }
      },
      [socket, &listener, done = std::move(done), &context = context_] {
        if (!*socket) {
          done(hm::fail(socket->error()));
          return;
        }
        done(DescriptorStream::open(context, std::move(**socket), DescriptorStream::EndsBy::Socket,
                                    listener)
                 ->stream());
      });
}

void OciRuntime::logs(const std::string& id, std::size_t tail, Follow follow,
                      ports::ContainerStreamListener& listener,
                      std::function<void(ports::StreamResult)> done) {
  const auto container = find(id, done);
  if (!container) return;
  LogStream::begin(workers_, container,
                   {.folder = host_->state.of(id), .tail = tail, .follow = follow}, listener,
                   std::move(done));
}

void OciRuntime::signal(const std::string& id, int number, std::function<void(Result<void>)> done) {
  if (const auto container = find(id, done)) container->signal(number, std::move(done));
}

void OciRuntime::kill(const std::string& id, std::function<void(Result<void>)> done) {
  if (const auto container = find(id, done)) container->kill(std::move(done));
}

void OciRuntime::usage(const std::string& id,
                       std::function<void(Result<ports::ContainerUsage>)> done) {
  if (const auto container = find(id, done)) container->usage(std::move(done));
}

void OciRuntime::remove(const std::string& id, std::function<void(Result<void>)> done) {
  const auto found = containers_.find(id);
  if (found == containers_.end()) {
    asio::post(context_, [done = std::move(done)] { done({}); });
    return;
  }
  found->second->remove(std::move(done));
}

// ---- volumes that nobody uses ----

void OciRuntime::sweep_volumes() {
  std::set<std::string> used;
  for (const auto& [id, container] : containers_) {
    const ports::ContainerOrder& order = container->record().order;
    for (const containers::Volume& volume : order.spec.volumes) {
      used.insert(volume_file(host_->options.volume_folder, order.tenant, volume.name));
    }
  }
  workers_.submit(
      [host = host_, used = std::move(used)] {
        const std::lock_guard lock(host->volumes);
        const std::size_t removed = container_runtime::sweep_volumes(
            host->options.volume_folder, used, std::chrono::system_clock::now());
        if (removed > 0) {
          log::info("containers", "volumes that nobody used for long are removed",
                    {{"count", removed}});
        }
      },
      [] {});
  sweeping_.expires_after(kVolumeSweepPause);
  sweeping_.async_wait([this](const boost::system::error_code& error) {
    if (!error) sweep_volumes();
  });
}

// ---- memory over time ----

void OciRuntime::sample_later() {
  if (std::exchange(is_sampling_, true)) return;
  sampling_.expires_after(kUsageInterval);
  sampling_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    is_sampling_ = false;
    sample();
  });
}

void OciRuntime::sample() {
  struct Sample {
    std::weak_ptr<Container> container;
    std::string id;
    std::optional<std::uint64_t> bytes;
  };
  auto samples = std::make_shared<std::vector<Sample>>();
  for (const auto& [id, container] : containers_) {
    if (container->state() == Container::State::Running) {
      samples->push_back({.container = container, .id = id, .bytes = std::nullopt});
    }
  }
  if (samples->empty()) return;
  workers_.submit(
      [samples, host = host_] {
        for (Sample& sample : *samples) {
          if (const auto usage = host->cgroups->usage(sample.id)) {
            sample.bytes = usage->memory_bytes;
          }
        }
      },
      [samples] {
        for (const Sample& sample : *samples) {
          const auto container = sample.container.lock();
          if (container && sample.bytes) container->sample_memory(steady_now(), *sample.bytes);
        }
      });
  sample_later();
}

}  // namespace

Result<std::unique_ptr<ports::ContainerRuntime>> open_runtime(asio::io_context& context,
                                                              ports::Workers& workers,
                                                              RuntimeOptions options) {
  HM_TRY(auto host, look_at_host(std::move(options)));
  if (const auto removed = sweep(*host, look_for_leftovers(*host)); !removed) {
    // What cannot be removed now is tried again the next time; the rest works without it.
    log::warning("containers", removed.error().message, {{"detail", removed.error().detail}});
  }
  auto runtime = std::make_unique<OciRuntime>(context, workers, std::move(host));
  runtime->adopt_all();
  return runtime;
}

}  // namespace hm::container_runtime
