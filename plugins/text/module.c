/* The module of BERT WordPiece and word vocabularies.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <weft/operator.h>

WEFT_MODULE ("text", "1.0", "tokenizers: BERT WordPiece, CLIP byte pairs and word vocabularies");
