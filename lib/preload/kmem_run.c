/* SPDX-License-Identifier: Apache-2.0 */
/* To be written. */
#include "preload/preload.h"
int main(void) { return 125; }
