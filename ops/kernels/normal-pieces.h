/* The tail of the normal distribution and the slope of GELU as polynomials, piece by piece, for registers that can look them up.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Piece i reaches half a width to both sides of i widths. In the last one the sixth degree leaves a relative error of 1e-7, about the
 * rounding of float32. */
#define NORMAL_PIECES 32
#define NORMAL_DEGREE 6
#define NORMAL_PIECE_WIDTH 0.1875f
#define NORMAL_PIECES_END (((float) NORMAL_PIECES - 0.5f) * NORMAL_PIECE_WIDTH)

/* Coefficients by degree and piece, of the distance from the middle of the piece. */
typedef float NormalPieces[NORMAL_DEGREE + 1][NORMAL_PIECES];

/* Φ(−x), and d/dx x Φ(x) at −x, which is Φ(−x) − x φ(x). */
extern NormalPieces normal_tail, gelu_slope_tail G_GNUC_INTERNAL;

G_END_DECLS
