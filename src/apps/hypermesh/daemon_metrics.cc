// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/daemon_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace hm::cli {

void add_transport_metrics(http_api::MetricsText& text, const quic::TransportStats& stats) {
  text.gauge("hypermesh_stoq_connected_peers", "Peers with a live connection",
             stats.connected_peers);
  text.gauge("hypermesh_stoq_half_open", "Handshakes of others that are not finished",
             stats.half_open);
  text.counter("hypermesh_stoq_handshakes_total", "Handshakes completed",
               stats.handshakes_completed);
  text.counter("hypermesh_stoq_datagrams_sent_total", "UDP datagrams sent", stats.datagrams_sent);
  text.counter("hypermesh_stoq_datagrams_received_total", "UDP datagrams received",
               stats.datagrams_received);
  text.counter("hypermesh_stoq_bytes_sent_total", "UDP payload bytes sent", stats.bytes_sent);
  text.counter("hypermesh_stoq_bytes_received_total", "UDP payload bytes received",
               stats.bytes_received);
  text.counter("hypermesh_stoq_messages_sent_total", "Messages sent", stats.messages_sent);
  text.counter("hypermesh_stoq_messages_received_total", "Messages received",
               stats.messages_received);
  text.counter("hypermesh_stoq_certificates_issued_total", "Node certificates issued",
               stats.certificates_issued);
  for (std::size_t i = 0; i < stoq::kIncidentCount; ++i) {
    const auto incident = static_cast<stoq::Incident>(i);
    text.counter("hypermesh_stoq_incidents_total", "What was refused, dropped or given up, by name",
                 stats.incidents[incident], {{"incident", std::string(stoq::name_of(incident))}});
  }
}

void add_server_metrics(http_api::MetricsText& text, const http::HttpServerCounters& counters) {
  text.counter("hypermesh_http_connections_total", "Connections accepted", counters.accepted);
  text.counter("hypermesh_http_requests_total", "Requests read", counters.requests);
  text.gauge("hypermesh_http_open_connections", "Connections that are open",
             counters.open_connections);
  text.gauge("hypermesh_http_open_streams", "Event streams and long answers that are open",
             counters.open_streams);
  text.gauge("hypermesh_http_open_uploads", "Bodies that are taken as they arrive",
             counters.open_uploads);
  text.gauge("hypermesh_http_open_web_sockets", "WebSockets that are open",
             counters.open_web_sockets);
  const auto refused = [&](const char* reason, std::uint64_t count) {
    text.counter("hypermesh_http_refused_total", "Refused by the server itself, by reason", count,
                 {{"reason", reason}});
  };
  refused("connections", counters.refused_connections);
  refused("idle", counters.gave_way);
  refused("early", counters.refused_early);
  refused("malformed", counters.malformed);
  refused("oversized_headers", counters.oversized_headers);
  refused("oversized_body", counters.oversized_bodies);
  refused("timeout", counters.timed_out);
  refused("slow_stream", counters.slow_streams);
  refused("lost_upload", counters.lost_uploads);
  refused("upgrade", counters.refused_upgrades);
  refused("slow_web_socket", counters.slow_web_sockets);
}

void add_container_metrics(http_api::MetricsText& text, const hosting::SessionCounters& sessions,
                           const hosting::HostCounters& host, std::size_t runs) {
  text.gauge("hypermesh_container_runs", "Containers kept here, for whomever", runs);
  text.counter("hypermesh_container_started_total", "Containers started here", host.started);
  text.counter("hypermesh_container_refused_total", "Starts refused or failed", host.refused);
  text.counter("hypermesh_container_restarted_total", "Services started again by their policy",
               host.restarted);
  text.counter("hypermesh_container_adopted_total", "Containers of an earlier process taken over",
               host.adopted);
  const auto ended = [&](const char* why, std::uint64_t count) {
    text.counter("hypermesh_container_ended_total", "Containers that ended, by what ended them",
                 count, {{"by", why}});
  };
  ended("itself", host.ended);
  ended("lease", host.ended_by_lease);
  ended("tenant_gone", host.ended_alone);
  text.counter("hypermesh_session_streams_opened_total", "Streams opened to other nodes",
               sessions.opened);
  text.counter("hypermesh_session_streams_accepted_total", "Streams accepted from other nodes",
               sessions.accepted);
  text.counter("hypermesh_session_streams_refused_total", "Streams of others above the limit",
               sessions.refused);
  text.counter("hypermesh_session_malformed_total", "Messages that do not decode",
               sessions.malformed);
  text.counter("hypermesh_session_violations_total", "Streams ended for what a peer said on them",
               sessions.violations);
  text.counter("hypermesh_session_bytes_sent_total", "Bytes sent on streams", sessions.bytes_sent);
  text.counter("hypermesh_session_bytes_received_total", "Bytes received on streams",
               sessions.bytes_received);
}

void add_service_metrics(http_api::MetricsText& text, const hosting::ServiceKeeper& keeper) {
  std::uint64_t wanted = 0;
  std::uint64_t healthy = 0;
  const auto services = keeper.services();
  for (const hosting::KeptService* service : services) {
    if (service->record().life == hosting::ServiceLife::Removed) continue;
    wanted += service->record().spec.replicas;
    healthy += service->count(hosting::Standing::Healthy);
  }
  text.gauge("hypermesh_services", "Services that this node keeps", services.size());
  text.gauge("hypermesh_service_replicas_wanted", "Replicas that should be there", wanted);
  text.gauge("hypermesh_service_replicas_healthy", "Replicas that pass their checks", healthy);
  const hosting::ServiceCounters& counters = keeper.counters();
  text.counter("hypermesh_service_placed_total", "Replicas placed", counters.placed);
  const auto checks = [&](const char* verdict, std::uint64_t count) {
    text.counter("hypermesh_service_checks_total", "Looks at replicas, by what came of them", count,
                 {{"verdict", verdict}});
  };
  checks("passed", counters.checks_passed);
  checks("failed", counters.checks_failed);
  const auto lost = [&](const char* why, std::uint64_t count) {
    text.counter("hypermesh_service_lost_total", "Replicas that had to be replaced, by why", count,
                 {{"why", why}});
  };
  lost("unreachable", counters.unreachable);
  lost("unhealthy", counters.unhealthy);
  lost("ended", counters.ended);
  lost("lease", counters.lost_lease);
  lost("never_began", counters.never_began);
}

namespace {

void add_shard_host_metrics(http_api::MetricsText& text, const storing::ShardHost& host) {
  const ports::ShardStoreUsage& usage = host.usage();
  text.gauge("hypermesh_shards", "Shards kept here", usage.shards);
  text.gauge("hypermesh_shard_bytes", "Their bytes", usage.shard_bytes);
  text.gauge("hypermesh_shard_damaged", "Shards kept here that are known to be damaged",
             usage.damaged);
  text.gauge("hypermesh_shard_disk_bytes", "What they take on the disk", usage.disk_bytes);
  text.gauge("hypermesh_shard_needless_bytes", "Of that, what compaction would free",
             usage.needless_bytes);
  const storing::ShardHostCounters& counters = host.counters();
  text.counter("hypermesh_shard_puts_total", "Shards taken in", counters.puts);
  text.counter("hypermesh_shard_put_bytes_total", "Their bytes", counters.put_bytes);
  text.counter("hypermesh_shard_gets_total", "Reads of shards", counters.gets);
  text.counter("hypermesh_shard_got_bytes_total", "Bytes read", counters.got_bytes);
  text.counter("hypermesh_shard_proofs_total", "Pages proven", counters.proofs);
  text.counter("hypermesh_shard_drops_total", "Requests to drop that were carried out",
               counters.drops);
  text.counter("hypermesh_shard_dropped_by_lease_total", "Shards dropped with their lease",
               counters.dropped_by_lease);
  text.counter("hypermesh_shard_malformed_total", "Messages that do not decode",
               counters.malformed);
  text.counter("hypermesh_shard_scrubbed_bytes_total", "Bytes read and verified unasked",
               counters.scrubbed_bytes);
  text.counter("hypermesh_shard_damage_found_total", "Damaged shards met doing so",
               counters.damage_found);
  text.counter("hypermesh_shard_compacted_bytes_total", "Bytes that compaction freed",
               counters.compacted_bytes);
  for (std::size_t i = 0; i < storing::kErrorCodes; ++i) {
    text.counter("hypermesh_shard_refused_total", "Requests refused, by reason",
                 counters.refused[i],
                 {{"reason", std::string(name_of(static_cast<ErrorCode>(i)))}});
  }
}

}  // namespace

void add_shard_metrics(http_api::MetricsText& text, const storing::ShardHost* host,
                       const storing::ShardClientCounters& client) {
  if (host != nullptr) add_shard_host_metrics(text, *host);
  text.counter("hypermesh_shard_sent_bytes_total", "Bytes of shards that other nodes took",
               client.put_bytes);
  text.counter("hypermesh_shard_fetched_bytes_total", "Bytes of shards that other nodes gave",
               client.got_bytes);
  const auto failed = [&](const char* why, std::uint64_t count) {
    text.counter("hypermesh_shard_failed_total", "Questions to other nodes that failed, by why",
                 count, {{"why", why}});
  };
  failed("refused", client.refused);
  failed("lost", client.lost);
  failed("silent", client.silent);
  failed("violation", client.violations);
  failed("corrupt", client.corrupt);
}

void add_object_metrics(http_api::MetricsText& text, const storing::ObjectKeeper* keeper) {
  if (keeper == nullptr) return;
  const storing::KeeperStatus status = keeper->status();
  const storing::KeeperCounters& counters = status.counters;
  text.counter("hypermesh_storage_objects_put_total", "Objects stored", counters.objects_put);
  text.counter("hypermesh_storage_put_bytes_total", "Bytes of objects stored", counters.bytes_put);
  text.counter("hypermesh_storage_objects_got_total", "Objects read, or parts of them",
               counters.objects_got);
  text.counter("hypermesh_storage_got_bytes_total", "Bytes of objects read", counters.bytes_got);
  text.counter("hypermesh_storage_commitments_total", "Commitments put on the ledger",
               counters.commitments);
  text.counter("hypermesh_storage_audits_passed_total", "Pages that were proven",
               counters.audits_passed);
  text.counter("hypermesh_storage_audits_failed_total", "Pages that were not proven",
               counters.audits_failed);
  text.counter("hypermesh_storage_shards_repaired_total", "Shards made anew elsewhere",
               counters.shards_repaired);
  text.counter("hypermesh_storage_repaired_bytes_total", "Bytes of shards made anew",
               counters.bytes_repaired);
  text.counter("hypermesh_storage_shards_dropped_total", "Shards that nothing needs, dropped",
               counters.shards_dropped);
  text.counter("hypermesh_storage_orphans_dropped_total",
               "Shards that nothing ever referred to, dropped", counters.orphans_dropped);
  text.gauge("hypermesh_storage_repairs_waiting", "Stripes that wait for repair",
             status.repairs_waiting);
  text.gauge("hypermesh_storage_leases", "Leases under which objects lie", status.leases.size());
  std::uint64_t used = 0;
  std::uint64_t quantity = 0;
  for (const auto& lease : status.leases) {
    used += lease.used;
    quantity += lease.quantity;
  }
  text.gauge("hypermesh_storage_used_bytes", "Of these leases, used", used);
  text.gauge("hypermesh_storage_leased_bytes", "Of these leases, all", quantity);
  text.gauge("hypermesh_storage_faults", "Faults of nodes on record", status.faults.size());
  text.gauge("hypermesh_storage_in_trouble", "1: something keeps storage from working",
             status.trouble.empty() ? 0 : 1);
}

void add_process_metrics(http_api::MetricsText& text) {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto nanoseconds = [](const timeval& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + std::int64_t{time.tv_usec} * 1'000;
  };
  text.gauge_seconds("process_cpu_seconds", "User and system time used so far",
                     nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime));
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total_pages = 0;
  std::uint64_t resident_pages = 0;
  if (statm >> total_pages >> resident_pages) {
    text.gauge("process_resident_memory_bytes", "Resident memory",
               resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
  }
  std::error_code error;
  const std::filesystem::directory_iterator open_files("/proc/self/fd", error);
  if (!error) {
    text.gauge("process_open_fds", "Open file descriptors",
               static_cast<std::uint64_t>(std::distance(begin(open_files), end(open_files))));
  }
}

}  // namespace hm::cli
