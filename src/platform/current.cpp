#include "platform/current.hpp"

__thread void* tenon_current = nullptr;
