// Bulk numbers of JSON: the predict path's reader and writer beside nlohmann_json's DOM, the same text for
// both.
#include <benchmark/benchmark.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "api/json_writer.h"
#include "api/predict_inputs.h"

namespace {

constexpr std::size_t kRows = 1000, kInputs = 20, kOutputs = 10;

std::vector<float> numbers(std::size_t count) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> list(count);
  for (float& number : list) number = normal(random);
  return list;
}

std::string body() {
  std::string text;
  mlpd::api::JsonWriter out(text);
  out.begin_object().key("inputs").rows(numbers(kRows * kInputs).data(), kRows, kInputs).end_object();
  return text;
}

void parse_mlpd(benchmark::State& state) {
  const std::string text = body();
  std::vector<float> flat;
  for (auto _ : state) {
    if (mlpd::api::read_inputs(text, kInputs, flat) != mlpd::api::FastRead::ok)
      return state.SkipWithError("not read");
    benchmark::DoNotOptimize(flat.data());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kRows * kInputs));
}

void parse_nlohmann(benchmark::State& state) {
  const std::string text = body();
  for (auto _ : state) {
    const auto json = nlohmann::json::parse(text);
    std::vector<float> flat;
    for (const auto& row : json["inputs"])
      for (const auto& number : row) flat.push_back(number.get<float>());
    benchmark::DoNotOptimize(flat.data());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kRows * kInputs));
}

void write_mlpd(benchmark::State& state) {
  const auto values = numbers(kRows * kOutputs);
  std::string text;
  for (auto _ : state) {
    text.clear();
    mlpd::api::JsonWriter(text).rows(values.data(), kRows, kOutputs);
    benchmark::DoNotOptimize(text.data());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kRows * kOutputs));
}

/// The DOM is there already: only its dump is timed.
void write_nlohmann(benchmark::State& state) {
  const auto values = numbers(kRows * kOutputs);
  nlohmann::json json;
  for (std::size_t r = 0; r < kRows; ++r)
    json.push_back(std::vector<float>(values.data() + r * kOutputs, values.data() + (r + 1) * kOutputs));
  for (auto _ : state) {
    const std::string text = json.dump();
    benchmark::DoNotOptimize(text.data());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kRows * kOutputs));
}

BENCHMARK(parse_mlpd);
BENCHMARK(parse_nlohmann);
BENCHMARK(write_mlpd);
BENCHMARK(write_nlohmann);

}  // namespace

BENCHMARK_MAIN();
