#include "shared.hpp"

int shop::price_of_a_dozen() { return price(12); }
