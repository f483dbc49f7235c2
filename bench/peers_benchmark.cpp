// FANN on the networks of kernels_benchmark.cpp, and the rate of fused multiply-adds that this processor can
// do at most. Each runs in one thread.
#include <benchmark/benchmark.h>
#include <floatfann.h>

#include <memory>
#include <string>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

struct Case {
  std::string name;
  std::vector<unsigned> widths;
  fann_activationfunc_enum hidden;
  unsigned rows;
};

// FANN has neither relu nor softmax: its piecewise linear stands for relu, sigmoid outputs for softmax, both
// cheaper for it.
const std::vector<Case> kCases = {
    {"2-3-2_b4", {2, 3, 2}, FANN_SIGMOID, 4},
    {"2-3-2_b300", {2, 3, 2}, FANN_SIGMOID, 300},
    {"2-50-2_b50", {2, 50, 2}, FANN_SIGMOID, 50},
    {"20-64-64-1_b32", {20, 64, 64, 1}, FANN_LINEAR_PIECE, 32},
    {"784-128-10_b64", {784, 128, 10}, FANN_LINEAR_PIECE, 64},
    {"784-512-512-10_b128", {784, 512, 512, 10}, FANN_LINEAR_PIECE, 128},
    {"784-2048-2048-10_b256", {784, 2048, 2048, 10}, FANN_LINEAR_PIECE, 256},
};

void train(benchmark::State& state, const Case& c) {
  const std::unique_ptr<fann, decltype(&fann_destroy)> net(
      fann_create_standard_array(static_cast<unsigned>(c.widths.size()), c.widths.data()), fann_destroy);
  const std::unique_ptr<fann_train_data, decltype(&fann_destroy_train)> data(
      fann_create_train(c.rows, c.widths.front(), c.widths.back()), fann_destroy_train);
  for (unsigned r = 0; r < c.rows; ++r) {
    for (unsigned i = 0; i < c.widths.front(); ++i)
      data->input[r][i] = static_cast<float>((r * 31 + i * 17) % 13) / 6.5f - 1;
    for (unsigned i = 0; i < c.widths.back(); ++i) data->output[r][i] = i == r % c.widths.back() ? 1.f : 0.f;
  }
  fann_set_activation_function_hidden(net.get(), c.hidden);
  fann_set_activation_function_output(net.get(), FANN_SIGMOID);
  fann_set_training_algorithm(net.get(), FANN_TRAIN_BATCH);
  fann_set_learning_rate(net.get(), 0.01f);
  for (auto _ : state) fann_train_epoch(net.get(), data.get());
}

constexpr int kChains = 12;  // more than latency × issue width of any processor so far
constexpr int kTurns = 4096;

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) void multiply_256(float* out) {
  __m256 chains[kChains], factor = _mm256_set1_ps(0.999f), term = _mm256_set1_ps(0.1f);
  for (int i = 0; i < kChains; ++i)
    chains[i] = _mm256_set1_ps(out[i]);  // unequal: equal chains would be merged
  for (int turn = 0; turn < kTurns; ++turn) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) chains[i] = _mm256_fmadd_ps(chains[i], factor, term);
  }
  for (int i = 0; i < kChains; ++i) out[i] = chains[i][0];
}

__attribute__((target("avx512f"))) void multiply_512(float* out) {
  __m512 chains[kChains], factor = _mm512_set1_ps(0.999f), term = _mm512_set1_ps(0.1f);
  for (int i = 0; i < kChains; ++i)
    chains[i] = _mm512_set1_ps(out[i]);  // unequal: equal chains would be merged
  for (int turn = 0; turn < kTurns; ++turn) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) chains[i] = _mm512_fmadd_ps(chains[i], factor, term);
  }
  for (int i = 0; i < kChains; ++i) out[i] = chains[i][0];
}

void peak(benchmark::State& state) {
  const bool wide = __builtin_cpu_supports("avx512f");
  if (!wide && !(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")))
    return state.SkipWithError("no FMA");
  float sums[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  for (auto _ : state) {
    wide ? multiply_512(sums) : multiply_256(sums);
    benchmark::DoNotOptimize(sums);
    benchmark::ClobberMemory();
  }
  state.counters["GFLOP/s"] = benchmark::Counter(2e-9 * kTurns * kChains * (wide ? 16 : 8),
                                                 benchmark::Counter::kIsIterationInvariantRate);
}
#endif

}  // namespace

int main(int argc, char** argv) {
  for (const Case& c : kCases)
    benchmark::RegisterBenchmark(("fann/" + c.name).c_str(), train, c)->Unit(benchmark::kMicrosecond);
#if defined(__x86_64__)
  benchmark::RegisterBenchmark("fma_peak", peak);
#endif
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
