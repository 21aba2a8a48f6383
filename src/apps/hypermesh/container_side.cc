// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/container_side.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "apps/hypermesh/run_files.h"
#include "foundation/base/log.h"
#include "platform/containers_linux/cgroups.h"
#include "platform/containers_linux/reachable_folder.h"
#include "platform/files/scratch_folder.h"
#include "platform/oci/image_store.h"
#include "platform/oci/registry_client.h"

namespace hm::cli {
namespace {

// Root in a container is this user of the host; 65536 follow it. Both the layers of images and the
// containers' user namespaces have it.
constexpr std::uint32_t kUidShift = 100'000;
// Images that a node keeps, unpacked ones included.
constexpr std::uint64_t kMaxImageBytes = std::uint64_t{64} << 30;
// What tells daemons of one machine apart in the kernel's names.
constexpr std::size_t kTagDigits = 6;

// Of control groups.
std::string group_of(const std::string& tag) { return "hypermesh-" + tag; }

// fd48:4d01:‹32 bits of chain id›:‹32 bits of node id›::/96, beside the mesh's addresses of assets.
containers_linux::Prefix container_prefix(const identity::NodeId& node,
                                          const identity::ChainId& chain) {
  containers_linux::Prefix prefix;
  prefix.bytes = {0xfd, 0x48, 0x4d, 0x01};
  std::copy_n(chain.bytes.begin(), 4, prefix.bytes.begin() + 4);
  std::copy_n(node.bytes.begin(), 4, prefix.bytes.begin() + 8);
  prefix.length = 96;
  return prefix;
}

containers_linux::Prefix mesh_prefix(const identity::ChainId& chain) {
  containers_linux::Prefix prefix;
  prefix.bytes = {0xfd, 0x48, 0x4d, 0x00};
  std::copy_n(chain.bytes.begin(), 4, prefix.bytes.begin() + 4);
  prefix.length = 64;
  return prefix;
}

oci::RegistryOptions registry_options(const api::RegistryRequest& request) {
  oci::RegistryOptions options;
  if (request.plain_http) options.transport = oci::RegistryTransport::Plain;
  if (!request.user.empty()) {
    options.credentials = oci::RegistryCredentials{request.user, request.password};
  }
  return options;
}

Result<containers::ImageReference> parse_reference(const std::string& text) {
  auto reference = containers::parse_image_reference(text);
  if (reference) return std::move(*reference);
  return fail(ErrorCode::InvalidArgument, "'" + text + "' is no name of an image",
              std::string(containers::name_of(reference.error())));
}

Result<ports::NamedImage> pull(ports::ImageStore& images, const api::RegistryRequest& request,
                               const ports::ImageProgress& progress) {
  HM_TRY(const auto reference, parse_reference(request.reference));
  return oci::pull(images, reference, registry_options(request), progress);
}

Result<ports::NamedImage> push(ports::ImageStore& images, const api::RegistryRequest& request,
                               const ports::ImageProgress& progress) {
  HM_TRY(const auto reference, parse_reference(request.reference));
  HM_TRY(auto image, images.find(request.reference));
  HM_TRY_VOID(oci::push(images, image.manifest, reference, registry_options(request), progress));
  return image;
}

}  // namespace

std::string container_tag(const identity::NodeId& node) {
  return node.to_string().substr(0, kTagDigits);
}

std::string lent_group(const identity::NodeId& node) {
  constexpr std::string_view kSys = "/sys/";
  const auto folder = containers_linux::Cgroups::time_folder(group_of(container_tag(node)));
  return folder.starts_with(kSys) ? folder.substr(kSys.size()) : std::string();
}

Result<container_runtime::RuntimeOptions> runtime_options(const NodeFolder& folder,
                                                          const identity::NodeId& node,
                                                          const identity::ChainId& chain) {
  const std::string tag = container_tag(node);
  HM_TRY(const std::string reached, containers_linux::reachable_folder(folder.containers(), tag));
  return container_runtime::RuntimeOptions{.state_folder = reached + "/state",
                                           .volume_folder = reached + "/volumes",
                                           .group = group_of(tag),
                                           .network_tag = tag,
                                           .container_prefix = container_prefix(node, chain),
                                           .mesh_prefix = mesh_prefix(chain),
                                           .uid_shift = kUidShift};
}

ContainerSide::ContainerSide(node::Node& node, node::OwnOperations& operations,
                             const NodeFolder& folder,
                             std::function<node::RoundTrips()> round_trips)
    : tag_(container_tag(node.id())),
      mux_(node),
      desk_(node, operations, mux_,
            [folder](const hosting::RunId& run, const auto& record) {
              return write_run(folder, run, record);
            }),
      services_(
          node, operations, mux_, desk_,
          [folder](const hosting::ServiceId& service, const auto& record) {
            return write_service(folder, service, record);
          },
          std::move(round_trips)) {}

Result<std::unique_ptr<ContainerSide>> ContainerSide::open(
    node::Node& node, node::OwnOperations& operations, node::LeaseKeeper& leases,
    const NodeFolder& folder, loop::EventLoop& loop,
    std::function<node::RoundTrips()> round_trips) {
  std::unique_ptr<ContainerSide> side(
      new ContainerSide(node, operations, folder, std::move(round_trips)));
  HM_TRY(const auto records, read_runs(folder));
  HM_TRY_VOID(side->desk_.recall(records));
  HM_TRY(const auto services, read_services(folder));
  HM_TRY_VOID(side->services_.recall(services));
  HM_TRY(side->scratch_, files::open_scratch_folder(folder.scratch()));
  HM_TRY(side->images_,
         oci::open_image_store(
             {.folder = folder.images(), .uid_shift = kUidShift, .max_bytes = kMaxImageBytes}));
  ports::ImageStore& images = *side->images_;
  HM_TRY(auto options, runtime_options(folder, node.id(), node.chain_id()));
  options.hold_image = [&images](const crypto::Digest& manifest) -> std::shared_ptr<void> {
    auto unpacked = images.unpack(manifest, [](std::uint64_t, std::uint64_t) {});
    return unpacked ? std::move(unpacked->hold) : nullptr;
  };
  HM_TRY(side->runtime_,
         container_runtime::open_runtime(loop.context(), loop.workers(), std::move(options)));
  const ports::RuntimeFacts& facts = side->runtime_->facts();
  if (facts.runtime.empty()) {
    log::warning("containers", "this machine runs no containers",
                 {{"why", facts.missing.empty() ? std::string() : facts.missing.front()}});
  } else {
    log::info("containers", "ready", {{"runtime", facts.runtime}, {"cgroups", facts.cgroups}});
  }
  side->host_ = std::make_unique<hosting::ContainerHost>(node, side->mux_, *side->runtime_, images);
  side->host_->set_usage_sink([&leases](const ledger::LeaseId& lease, std::uint64_t used) {
    leases.set_usage(lease, used);
  });
  side->mux_.set_acceptor([host = side->host_.get()](hosting::Request request,
                                                     std::shared_ptr<hosting::Stream> stream) {
    host->handle(std::move(request), std::move(stream));
  });
  container_api::ContainerApiConfig api{
      .scratch = *side->scratch_,
      .pull = [&images](const auto& request,
                        const auto& progress) { return pull(images, request, progress); },
      .push = [&images](const auto& request,
                        const auto& progress) { return push(images, request, progress); }};
  side->api_ = std::make_unique<container_api::ContainerApi>(
      node, operations, side->desk_, *side->host_, side->services_, *side->runtime_, images,
      std::move(api));
  return side;
}

// What still runs keeps its folder.
ContainerSide::~ContainerSide() {
  api_.reset();
  host_.reset();
  runtime_.reset();
  containers_linux::release_folder(tag_);
}

void ContainerSide::start() {
  host_->adopt();
  services_.start();
}

}  // namespace hm::cli
