/* Zip archives whose members are stored as they are, as torch.save writes them: a directory of names, offsets and sizes.
 *
 * Format: PKWARE APPNOTE 6.3.9, with the zip64 extension.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "bytes.h"

G_BEGIN_DECLS

typedef struct
{
  guint64 header;       /* where the member begins in the file */
  guint64 offset, size; /* of the content in the file */
  guint32 checksum;     /* CRC-32 */
} WeftZipMember;

/**
 * weft_zip_read:
 *
 * Reads the directory. Compressed, encrypted, repeated or overlapping members and sizes beyond the file are errors.
 *
 * Returns: (transfer full) (element-type utf8 WeftZipMember): members by name
 */
GHashTable *weft_zip_read (const WeftBytes *file, GError **error);

/* Goes on with a CRC-32 as zip archives use it; 0 begins. */
guint32 weft_zip_checksum (guint32 crc, const guint8 *data, gsize length);

G_END_DECLS
