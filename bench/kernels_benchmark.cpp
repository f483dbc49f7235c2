// Time of one training step and of a one-row forward, in process, through the public Learner and Snapshot.
// Build with -DMLPD_BENCH=ON (release), run build/release/kernels_benchmark.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "core/executor.h"
#include "core/kernels.h"
#include "core/learner.h"
#include "core/random.h"
#include "server/thread_pool.h"

namespace {

using namespace mlpd::core;

/// A network of docs/performance.md's table: widths, hidden activation, rows of a batch.
struct Case {
  std::string name;
  std::vector<std::size_t> widths;
  Activation hidden;
  std::size_t rows;
  Dtype dtype;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases = {
      {"2-3-2_b4", {2, 3, 2}, Activation::sigmoid, 4, Dtype::float32},
      {"2-3-2_b300", {2, 3, 2}, Activation::sigmoid, 300, Dtype::float32},
      {"2-50-2_b50", {2, 50, 2}, Activation::sigmoid, 50, Dtype::float32},
      {"20-64-64-1_b32", {20, 64, 64, 1}, Activation::relu, 32, Dtype::float32},
      {"784-128-10_b64", {784, 128, 10}, Activation::relu, 64, Dtype::float32},
      {"784-512-512-10_b128", {784, 512, 512, 10}, Activation::relu, 128, Dtype::float32},
      {"784-2048-2048-10_b256", {784, 2048, 2048, 10}, Activation::relu, 256, Dtype::float32},
      {"2-3-2_b50_float64", {2, 3, 2}, Activation::sigmoid, 50, Dtype::float64},
      {"784-128-10_b64_float64", {784, 128, 10}, Activation::relu, 64, Dtype::float64},
  };
  return kCases;
}

NetworkSpec spec_of(const Case& c) {
  NetworkSpec spec;
  spec.inputs = c.widths.front();
  spec.dtype = c.dtype;
  const bool softmax = c.widths.back() > 1;
  for (std::size_t i = 1; i < c.widths.size(); ++i) {
    LayerSpec layer;
    layer.units = c.widths[i];
    layer.activation = i + 1 < c.widths.size() ? c.hidden
                       : softmax               ? Activation::softmax
                                               : Activation::sigmoid;
    spec.layers.push_back(layer);
  }
  spec.loss.kind = softmax ? Loss::cross_entropy : Loss::binary_cross_entropy;
  spec.hyper_parameters.optimizer = default_options(Optimizer::sgd);
  spec.hyper_parameters.optimizer.learning_rate = 0.01;
  return spec;
}

std::shared_ptr<const Dataset> data_of(const Case& c) {
  auto data = std::make_shared<Dataset>();
  Random random(1, 1);
  data->rows = c.rows;
  data->input_count = c.widths.front();
  data->output_count = c.widths.back();
  data->targets.resize(c.rows * data->output_count);
  for (std::size_t i = 0; i < c.rows * data->input_count; ++i) data->inputs.push_back(random.normal());
  for (std::size_t r = 0; r < c.rows; ++r)
    data->targets[r * data->output_count + (data->output_count > 1 ? random.below(data->output_count) : 0)] =
        data->output_count > 1 ? 1 : static_cast<double>(random.below(2));
  return data;
}

void train(benchmark::State& state, const Case& c, std::size_t threads) {
  mlpd::server::ThreadPool executor(threads);
  auto learner = Learner::create(spec_of(c), nullptr, executor);
  if (!learner || !(*learner)->bind(data_of(c), BatchPlan{})) return state.SkipWithError("no network");
  const int steps = c.rows * c.widths[1] < 5000 ? 1000 : 8;
  while (state.KeepRunningBatch(steps)) (*learner)->advance(static_cast<std::uint64_t>(steps), 0, {});
  double multiplies = 0;
  for (std::size_t i = 1; i < c.widths.size(); ++i)
    multiplies += (i == 1 ? 2.0 : 3.0) * static_cast<double>(c.widths[i - 1] * c.widths[i] * c.rows);
  state.counters["GFLOP/s"] =
      benchmark::Counter(2e-9 * multiplies, benchmark::Counter::kIsIterationInvariantRate);
}

template <class T>
void predict_row(benchmark::State& state, const Case& c) {
  SerialExecutor executor;
  auto learner = Learner::create(spec_of(c), nullptr, executor);
  if (!learner) return state.SkipWithError("no network");
  const auto snapshot = (*learner)->snapshot();
  const auto workspace = snapshot->make_workspace();
  std::vector<T> inputs(c.widths.front(), T(0.5)), outputs(c.widths.back());
  for (auto _ : state) {
    snapshot->predict({inputs.data(), 1, inputs.size()}, {outputs.data(), 1, outputs.size()}, *workspace);
    benchmark::DoNotOptimize(outputs.data());
    benchmark::ClobberMemory();
  }
}

/// The rate of a product that stays in the first-level cache: what the machine can do at most.
void peak(benchmark::State& state) {
  constexpr std::size_t kRows = 48, kDepth = 128, kColumns = 32;
  SerialExecutor executor;
  Matrix<float> a(kRows, kDepth), b(kDepth, kColumns), c(kRows, kColumns);
  for (auto _ : state) dense_forward<float>(c.view(), a.view(), b.view(), nullptr, executor);
  state.counters["GFLOP/s"] =
      benchmark::Counter(2e-9 * kRows * kDepth * kColumns, benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace

int main(int argc, char** argv) {
  for (const Case& c : cases()) {
    benchmark::RegisterBenchmark(("train/" + c.name).c_str(), train, c, 1)->Unit(benchmark::kMicrosecond);
    for (const std::size_t threads : {1, 2})
      benchmark::RegisterBenchmark(("train_wall_" + std::to_string(threads) + "/" + c.name).c_str(), train, c,
                                   threads)
          ->Unit(benchmark::kMicrosecond)
          ->UseRealTime();
    benchmark::RegisterBenchmark(("predict_row/" + c.name).c_str(),
                                 c.dtype == Dtype::float32 ? predict_row<float> : predict_row<double>, c);
  }
  benchmark::RegisterBenchmark("peak/float32", peak);
  benchmark::AddCustomContext("instruction_set", std::string(instruction_set()));
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
