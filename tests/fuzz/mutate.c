/* Mutations of bytes.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "mutate.h"

#include <string.h>

#include <weft/random.h>

typedef struct
{
  WeftRandom random;
  guint32 drawn;
  const GPtrArray *seeds;
  GByteArray *bytes;
} Mutation;

static guint
below (Mutation *self, guint n)
{
  return n > 0 ? weft_random_below (self->random, self->drawn++, n) : 0;
}

static void
put (Mutation *self, guint at, gconstpointer data, guint length)
{
  guint behind = self->bytes->len - at;
  g_byte_array_set_size (self->bytes, self->bytes->len + length);
  memmove (self->bytes->data + at + length, self->bytes->data + at, behind);
  memcpy (self->bytes->data + at, data, length);
}

/* A piece of the text itself or of another seed, with short pieces more often than long ones. */
static void
put_piece (Mutation *self, gboolean over)
{
  const GBytes *seed = self->seeds->pdata[below (self, self->seeds->len)];
  gsize size;
  const guint8 *data = g_bytes_get_data ((GBytes *) seed, &size);
  if (size == 0)
    return;
  guint from = below (self, (guint) size), length = 1 + below (self, 1u << below (self, 9)), at = below (self, self->bytes->len + 1);
  length = MIN (length, (guint) size - from);
  if (over)
    memcpy (self->bytes->data + at, data + from, MIN (length, self->bytes->len - at));
  else
    put (self, at, data + from, length);
}

static void
put_integer (Mutation *self)
{
  static const guint64 edges[] = { 0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, G_MAXINT64, G_MAXUINT64 };
  guint width = 1u << below (self, 4);
  guint64 value = GUINT64_TO_LE (edges[below (self, G_N_ELEMENTS (edges))] + (guint64) below (self, 3) - 1);
  if (self->bytes->len >= width)
    memcpy (self->bytes->data + below (self, self->bytes->len - width + 1), &value, width);
}

/* Replaces a number in text by another one. */
static void
put_digits (Mutation *self)
{
  static const char *const numbers[] = { "0", "1", "-1", "7", "64", "65536", "1e9", "4294967296", "9223372036854775807", "1e400", "0.5" };
  guint8 *data = self->bytes->data;
  guint at = below (self, self->bytes->len), end;
  while (at < self->bytes->len && !g_ascii_isdigit (data[at]))
    at++;
  for (end = at; end < self->bytes->len && g_ascii_isdigit (data[end]);)
    end++;
  if (at == end)
    return;
  const char *number = numbers[below (self, G_N_ELEMENTS (numbers))];
  g_byte_array_remove_range (self->bytes, at, end - at);
  put (self, at, number, (guint) strlen (number));
}

static void
leave_out (Mutation *self)
{
  if (self->bytes->len == 0)
    return;
  guint at = below (self, self->bytes->len), length = 1 + below (self, 1u << below (self, 9));
  g_byte_array_remove_range (self->bytes, at, MIN (length, self->bytes->len - at));
}

static void
change (Mutation *self)
{
  static const char marks[] = "{}[]():,\"'$&*#-\n\t\r <>=\\%.0";
  guint n = self->bytes->len;
  switch (n > 0 ? below (self, 10) : 3)
    {
    case 0:
      self->bytes->data[below (self, n)] ^= (guint8) (1u << below (self, 8));
      return;
    case 1:
      self->bytes->data[below (self, n)] = (guint8) below (self, 256);
      return;
    case 2:
      self->bytes->data[below (self, n)] = (guint8) marks[below (self, sizeof marks)];
      return;
    case 3:
      put (self, below (self, n + 1), &marks[below (self, sizeof marks)], 1);
      return;
    case 4:
      put_integer (self);
      return;
    case 5:
      put_digits (self);
      return;
    case 6:
      leave_out (self);
      return;
    case 7:
      g_byte_array_set_size (self->bytes, below (self, n + 1));
      return;
    default:
      put_piece (self, below (self, 2));
    }
}

GByteArray *
fuzz_mutate (const GPtrArray *seeds, guint64 seed, guint64 number, guint most)
{
  Mutation self = { .random = weft_random_for (seed, "mutation", number), .seeds = seeds, .bytes = g_byte_array_new () };
  gsize size;
  const guint8 *data = g_bytes_get_data (seeds->pdata[below (&self, seeds->len)], &size);
  g_byte_array_append (self.bytes, data, (guint) MIN (size, most));
  for (guint n = 1 + below (&self, 1u << below (&self, 5)); n > 0; n--)
    change (&self);
  if (self.bytes->len > most)
    g_byte_array_set_size (self.bytes, most);
  return self.bytes;
}
