/* CRC-32C, eight bytes at a time (Kounavis and Berry, 2005).
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "checkpoint.h"

#define POLYNOMIAL 0x82f63b78u /* Castagnoli, reflected */

typedef guint32 Tables[8][256];

/* tables[k][b] advances the register by byte b followed by k zero bytes. */
static gpointer
make_tables (gpointer data)
{
  Tables *tables = g_malloc (sizeof (Tables));
  (void) data;
  for (guint32 b = 0; b < 256; b++)
    {
      guint32 crc = b;
      for (int bit = 0; bit < 8; bit++)
        crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
      (*tables)[0][b] = crc;
    }
  for (guint k = 1; k < 8; k++)
    for (guint b = 0; b < 256; b++)
      {
        guint32 crc = (*tables)[k - 1][b];
        (*tables)[k][b] = crc >> 8 ^ (*tables)[0][crc & 0xff];
      }
  return tables;
}

guint32
weft_crc32c (guint32 crc, gconstpointer data, gsize length)
{
  static GOnce once = G_ONCE_INIT;
  const guint32 (*t)[256] = *(const Tables *) g_once (&once, make_tables, NULL);
  const guint8 *at = data;
  crc = ~crc;
  for (; length >= 8; length -= 8, at += 8)
    {
      guint64 word;
      memcpy (&word, at, 8);
      word = GUINT64_FROM_LE (word) ^ crc;
      crc = t[7][word & 0xff] ^ t[6][word >> 8 & 0xff] ^ t[5][word >> 16 & 0xff] ^ t[4][word >> 24 & 0xff] ^ t[3][word >> 32 & 0xff]
            ^ t[2][word >> 40 & 0xff] ^ t[1][word >> 48 & 0xff] ^ t[0][word >> 56];
    }
  for (; length > 0; length--, at++)
    crc = crc >> 8 ^ t[0][(crc ^ *at) & 0xff];
  return ~crc;
}
