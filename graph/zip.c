/* The directory of a zip archive.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "zip.h"

#include <weft/operator.h>

#define LOCAL_HEADER 0x04034b50u
#define ENTRY 0x02014b50u
#define END 0x06054b50u
#define END64_LOCATOR 0x07064b50u
#define END64 0x06064b50u
#define LOCAL_HEADER_BYTES 30
#define ENTRY_BYTES 46
#define END_BYTES 22
#define END64_LOCATOR_BYTES 20
#define END64_BYTES 56
#define MOST_COMMENT 65535

#define MOST_DIRECTORY (64 << 20)
#define POLYNOMIAL 0xedb88320u

typedef struct
{
  const WeftBytes *file;
  guint64 length;
} Archive;

typedef struct
{
  guint64 entries, offset, bytes; /* of the directory */
} Directory;

static gboolean
refuse (const Archive *archive, guint64 at, const char *what, GError **error)
{
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: at byte %" G_GUINT64_FORMAT ": %s", weft_bytes_path (archive->file), at, what);
  return FALSE;
}

static guint64
number (const guint8 *at, guint bytes)
{
  guint64 value = 0;
  for (guint i = 0; i < bytes; i++)
    value |= (guint64) at[i] << 8 * i;
  return value;
}

/* Reads a record of the archive and holds it against its signature. */
static gboolean
read_record (const Archive *archive, guint64 at, guint32 signature, guint8 *record, guint64 bytes, const char *otherwise, GError **error)
{
  if (at > archive->length || bytes > archive->length - at)
    return refuse (archive, at, otherwise, error);
  if (!weft_bytes_read (archive->file, at, record, bytes, error))
    return FALSE;
  return number (record, 4) == signature || refuse (archive, at, otherwise, error);
}

static gboolean
find_directory64 (const Archive *archive, guint64 end, Directory *directory, GError **error)
{
  guint8 locator[END64_LOCATOR_BYTES], record[END64_BYTES];
  if (end < sizeof locator)
    return TRUE;
  if (!weft_bytes_read (archive->file, end - sizeof locator, locator, sizeof locator, error))
    return FALSE;
  if (number (locator, 4) != END64_LOCATOR)
    return TRUE;
  if (!read_record (archive, number (locator + 8, 8), END64, record, sizeof record, "no zip64 end record where its locator says", error))
    return FALSE;
  *directory = (Directory){ number (record + 32, 8), number (record + 48, 8), number (record + 40, 8) };
  return TRUE;
}

static gboolean
check_directory (const Archive *archive, guint64 end, const Directory *directory, GError **error)
{
  if (directory->offset > end || directory->bytes > end - directory->offset || directory->entries > directory->bytes / ENTRY_BYTES)
    return refuse (archive, end, "the archive's directory lies outside of the file", error);
  if (directory->bytes > MOST_DIRECTORY)
    return refuse (archive, end, "the archive's directory is larger than any model's", error);
  return TRUE;
}

/* The end record stands last but for a comment, so it is looked for from the end. */
static gboolean
find_directory (const Archive *archive, Directory *directory, GError **error)
{
  guint64 bytes = MIN (archive->length, END_BYTES + MOST_COMMENT), start = archive->length - bytes;
  g_autofree guint8 *tail = g_malloc (bytes);
  if (!weft_bytes_read (archive->file, start, tail, bytes, error))
    return FALSE;
  for (guint64 from_end = END_BYTES; from_end <= bytes; from_end++)
    {
      const guint8 *end = tail + bytes - from_end;
      if (number (end, 4) != END || number (end + 20, 2) != from_end - END_BYTES)
        continue;
      *directory = (Directory){ number (end + 10, 2), number (end + 16, 4), number (end + 12, 4) };
      return find_directory64 (archive, archive->length - from_end, directory, error)
             && check_directory (archive, archive->length - from_end, directory, error);
    }
  return refuse (archive, archive->length, "the zip archive has no end record; it may be truncated", error);
}

/* Replaces sizes and offset by those of the zip64 field where the entry says 0xffffffff. */
static gboolean
read_large (const Archive *archive, const guint8 *extra, guint64 bytes, guint64 *const values[3], guint64 at, GError **error)
{
  const guint8 *end = extra + bytes;
  while (end - extra >= 4)
    {
      guint64 kind = number (extra, 2), size = number (extra + 2, 2);
      extra += 4;
      if (size > (guint64) (end - extra))
        return refuse (archive, at, "an extra field is longer than its entry", error);
      for (guint i = 0, field = 0; kind == 1 && i < 3; i++)
        if (*values[i] == G_MAXUINT32)
          {
            if (8 * (field + 1) > size)
              return refuse (archive, at, "a zip64 field lacks a size", error);
            *values[i] = number (extra + 8 * field++, 8);
          }
      extra += size;
    }
  return TRUE;
}

/* Content begins behind the local header, whose name and extra field have lengths of their own. */
static gboolean
locate (const Archive *archive, guint64 header, guint64 at, WeftZipMember *member, GError **error)
{
  guint8 record[LOCAL_HEADER_BYTES];
  if (!read_record (archive, header, LOCAL_HEADER, record, sizeof record, "no member where the directory says", error))
    return FALSE;
  member->offset = header + LOCAL_HEADER_BYTES + number (record + 26, 2) + number (record + 28, 2);
  if (member->offset > archive->length || member->size > archive->length - member->offset)
    return refuse (archive, at, "a member reaches beyond the end of the file", error);
  return TRUE;
}

/* @at: of the entry in the file. */
static gboolean
read_entry (const Archive *archive, const guint8 *entry, guint64 room, guint64 at, guint64 *bytes, GHashTable *members, GError **error)
{
  if (room < ENTRY_BYTES || number (entry, 4) != ENTRY)
    return refuse (archive, at, "no entry where the archive's directory should go on", error);
  guint64 name_bytes = number (entry + 28, 2), extra_bytes = number (entry + 30, 2);
  guint64 packed = number (entry + 20, 4), size = number (entry + 24, 4), header = number (entry + 42, 4);
  const char *text = (const char *) entry + ENTRY_BYTES;
  *bytes = ENTRY_BYTES + name_bytes + extra_bytes + number (entry + 32, 2);
  if (*bytes > room)
    return refuse (archive, at, "an entry reaches beyond the archive's directory", error);
  if (!g_utf8_validate (text, (gssize) name_bytes, NULL))
    return refuse (archive, at, "a member's name is not UTF-8", error);
  if (number (entry + 8, 2) & 1 || number (entry + 10, 2) != 0)
    return refuse (archive, at, "a compressed or encrypted member, which torch.save does not write", error);
  if (!read_large (archive, entry + ENTRY_BYTES + name_bytes, extra_bytes, (guint64 *const[]){ &size, &packed, &header }, at, error))
    return FALSE;
  WeftZipMember member = { .header = header, .size = size, .checksum = (guint32) number (entry + 16, 4) };
  if (size != packed)
    return refuse (archive, at, "a stored member whose two sizes differ", error);
  if (!locate (archive, header, at, &member, error))
    return FALSE;
  if (!g_hash_table_insert (members, g_strndup (text, name_bytes), g_memdup2 (&member, sizeof member)))
    return refuse (archive, at, "a name that occurs twice", error);
  return TRUE;
}

static int
compare_offsets (gconstpointer a, gconstpointer b)
{
  const WeftZipMember *left = *(const WeftZipMember *const *) a, *right = *(const WeftZipMember *const *) b;
  return (left->header > right->header) - (left->header < right->header);
}

/* No byte belongs to two members, or to one and to the directory: else a small file could stand for any number of large members. */
static gboolean
check_overlap (const Archive *archive, GHashTable *members, guint64 directory, GError **error)
{
  g_autoptr (GPtrArray) order = g_ptr_array_new ();
  GHashTableIter iterator;
  gpointer member;
  g_hash_table_iter_init (&iterator, members);
  while (g_hash_table_iter_next (&iterator, NULL, &member))
    g_ptr_array_add (order, member);
  g_ptr_array_sort (order, compare_offsets);
  for (guint i = 0; i < order->len; i++)
    {
      const WeftZipMember *left = order->pdata[i], *right = i + 1 < order->len ? order->pdata[i + 1] : NULL;
      if (right != NULL && left->offset + left->size > right->header)
        return refuse (archive, right->header, "two members overlap", error);
      if (right == NULL && left->offset + left->size > directory)
        return refuse (archive, left->header, "a member overlaps the archive's directory", error);
    }
  return TRUE;
}

GHashTable *
weft_zip_read (const WeftBytes *file, GError **error)
{
  Archive archive = { file, weft_bytes_length (file) };
  Directory directory;
  g_autoptr (GHashTable) members = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  if (!find_directory (&archive, &directory, error))
    return NULL;
  g_autofree guint8 *entries = g_malloc (directory.bytes);
  if (!weft_bytes_read (file, directory.offset, entries, directory.bytes, error))
    return NULL;
  guint64 at = 0, bytes = 0;
  for (guint64 i = 0; i < directory.entries; i++, at += bytes)
    if (!read_entry (&archive, entries + at, directory.bytes - at, directory.offset + at, &bytes, members, error))
      return NULL;
  return check_overlap (&archive, members, directory.offset, error) ? g_steal_pointer (&members) : NULL;
}

static gpointer
make_table (gpointer data)
{
  guint32 *table = g_new (guint32, 256);
  (void) data;
  for (guint32 b = 0; b < 256; b++)
    {
      table[b] = b;
      for (int bit = 0; bit < 8; bit++)
        table[b] = table[b] >> 1 ^ (table[b] & 1 ? POLYNOMIAL : 0);
    }
  return table;
}

guint32
weft_zip_checksum (guint32 crc, const guint8 *data, gsize length)
{
  static GOnce once = G_ONCE_INIT;
  const guint32 *table = g_once (&once, make_table, NULL);
  crc = ~crc;
  for (gsize i = 0; i < length; i++)
    crc = crc >> 8 ^ table[(crc ^ data[i]) & 0xff];
  return ~crc;
}
