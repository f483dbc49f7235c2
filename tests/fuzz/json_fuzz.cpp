// Any text as a JSON body: the bodies of create, PATCH, train, evaluate and predict.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "api/decode_network.h"
#include "api/decode_train.h"
#include "api/predict_inputs.h"
#include "tests/fuzz/require.h"

namespace {

using namespace mlpd;
using namespace mlpd::api;

NetworkView small_network() {
  NetworkView view;
  view.name = "n";
  const auto spec = R"({"inputs":2,"class_labels":["no","yes"],"layers":[{"units":3},{"units":2}]})";
  view.spec = decode_create(*parse_json(spec), core::NetworkLimits())->spec;
  return view;
}

template <class T>
void read_fast(const std::string& body) {
  for (const std::size_t columns : {1, 2, 3}) {
    std::vector<T> flat;
    if (read_inputs<T>(body, columns, flat) != FastRead::ok) continue;
    fuzz::require(flat.size() % columns == 0);
    fuzz::require(std::all_of(flat.begin(), flat.end(), [](T value) { return std::isfinite(value); }));
    fuzz::require(parse_json(body).ok());  // what the fast path takes is JSON
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const NetworkView network = small_network();
  const core::NetworkLimits limits{8, 100, 10'000};
  const std::string body(reinterpret_cast<const char*>(data), size);
  read_fast<float>(body);
  read_fast<double>(body);
  const auto json = parse_json(body);
  if (!json) return 0;
  if (const auto made = decode_create(*json, limits)) fuzz::require(core::validate(made->spec, limits).ok());
  static_cast<void>(decode_patch(*json, network));
  Limits serving;
  serving.network = limits;
  if (const auto training = decode_train(*json, network, serving))
    fuzz::require(training->plan.steps <= serving.job_steps_max);
  static_cast<void>(decode_data_body(*json, network.spec, true));
  return 0;
}
