// SPDX-License-Identifier: Apache-2.0
// CPU that consensus alone costs a validator: whole meshes of real replicas on one thread, virtual
// network and disk, real signatures, small payloads that need no checking. The mesh's own cost over
// real sockets and disks: `tools/dev bench consensus`.
//   bench_consensus_replica [--json]
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <string_view>
#include <vector>

#include "core/consensus/test_cluster.h"

namespace {

using namespace hm;
using namespace hm::consensus;
using namespace hm::consensus::testing;

struct Row {
  std::size_t validators = 0;
  Height blocks = 0;
  double micros = 0;      // CPU per block and validator
  double signatures = 0;  // verified, per block and validator
  double messages = 0;    // sent, counting each receiver, per block and validator
};

Row measure(std::size_t validators, Height blocks) {
  Cluster cluster(validators, 1);
  cluster.start_all();
  std::uint64_t operation = 0;
  const auto run_to = [&](Height height) {
    while (cluster.replica(0).final_height() < height) {
      cluster.submit(operation++);
      cluster.run_for(kMillisecond);
    }
  };
  run_to(5);
  const Height first = cluster.replica(0).final_height();
  const std::uint64_t verified = cluster.replica(0).counters().signatures_verified;
  const std::uint64_t messages = cluster.messages_sent();
  const std::clock_t start = std::clock();
  run_to(first + blocks);
  const double micros =
      static_cast<double>(std::clock() - start) * 1e6 / static_cast<double>(CLOCKS_PER_SEC);
  const Height done = cluster.replica(0).final_height() - first;
  const double shares = static_cast<double>(done) * static_cast<double>(validators);
  return {validators, done, micros / shares,
          static_cast<double>(cluster.replica(0).counters().signatures_verified - verified) /
              static_cast<double>(done),
          static_cast<double>(cluster.messages_sent() - messages) / shares};
}

}  // namespace

int main(int argc, char** argv) {
  const bool json = argc > 1 && std::string_view(argv[1]) == "--json";
  const std::vector<Row> rows{measure(4, 400), measure(10, 100), measure(31, 20), measure(100, 5)};
  if (!json) {
    std::printf("CPU of consensus per block and validator; build %s, one thread, virtual network\n",
                HM_BUILD_TYPE);
    std::printf("validators  blocks  CPU us  signatures verified  messages sent\n");
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    if (json) {
      std::printf(
          "%s{\"validators\":%zu,\"blocks\":%llu,\"cpu_us\":%.1f,\"signatures\":%.1f,"
          "\"messages\":%.1f}%s\n",
          i == 0 ? "{\"schema\":1,\"bench\":\"consensus_replica\",\"build\":\"" HM_BUILD_TYPE
                   "\",\"unit\":\"CPU microseconds per block and validator\",\"rows\":["
                 : "",
          row.validators, static_cast<unsigned long long>(row.blocks), row.micros, row.signatures,
          row.messages, i + 1 == rows.size() ? "]}" : ",");
    } else {
      std::printf("%10zu  %6llu  %6.0f  %19.1f  %13.1f\n", row.validators,
                  static_cast<unsigned long long>(row.blocks), row.micros, row.signatures,
                  row.messages);
    }
  }
  return 0;
}
