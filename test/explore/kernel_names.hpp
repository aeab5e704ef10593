#pragma once

/// What `kernels` (kernels.cpp) knows: bugs of real programs, each named after the project and the number of its issue or pull request.

namespace tenon_test {

inline constexpr const char* kernel_names[] = {
    "cockroach1055",  "cockroach1462",   "cockroach2448",   "cockroach6181",   "cockroach7504",   "cockroach9935",
    "cockroach10790", "cockroach16167",  "cockroach35073",  "etcd5509",        "etcd6873",        "etcd7492",
    "etcd7902",       "grpc660",         "grpc3017",        "hugo3251",        "istio16224",      "istio17860",
    "kubernetes1321", "kubernetes10182", "kubernetes11298", "kubernetes25331", "kubernetes30872", "kubernetes58107",
    "moby4951",       "moby28462",       "moby33781",       "serving2137",
};

/// In the order of `tenon::testing::strategy`.
inline constexpr const char* kernel_strategies[] = {"random", "priorities", "exhaustive"};

}  // namespace tenon_test
