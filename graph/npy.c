/* NumPy `.npy` files: header, rows by position, writing.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aside.h"
#include "npy.h"
#include "operator.h"

/* No array header comes near this; a longer one means that the file is something else. */
#define MAXIMUM_HEADER (1 << 20)

struct _WeftNpy
{
  char *path;
  int file;
  goffset data_start;
  gsize row_bytes;
  WeftTensor tensor;
};

/* What the header's dictionary says. */
typedef struct
{
  gboolean has_descr, has_order, has_shape;
  char descr[32];
  gboolean fortran;
  guint rank;
  gint64 shape[WEFT_MAX_RANK];
} Header;

static gboolean
fail_system (GError **error, const char *path, const char *what)
{
  int saved = errno;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_SYSTEM, "%s: %s: %s", path, what, g_strerror (saved));
  return FALSE;
}

static gboolean
read_fully (int file, gpointer buffer, gsize n, goffset at, const char *path, GError **error)
{
  char *to = buffer;
  gsize done = 0;
  while (done < n)
    {
      ssize_t got = pread (file, to + done, n - done, at + (goffset) done);
      if (got < 0 && errno == EINTR)
        continue;
      if (got < 0)
        return fail_system (error, path, "cannot read");
      if (got == 0)
        {
          g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
                       "%s: ends at byte %" G_GOFFSET_FORMAT ", %" G_GSIZE_FORMAT
                       " bytes short: it was cut off while it was in use; restore the file",
                       path, at + (goffset) done, n - done);
          return FALSE;
        }
      done += (gsize) got;
    }
  return TRUE;
}

/* The dictionary is a Python literal; these few forms are all that numpy writes. */

static void
skip_space (const char **p)
{
  while (g_ascii_isspace (**p))
    (*p)++;
}

static gboolean
parse_string (const char **p, char *to, gsize size)
{
  skip_space (p);
  char quote = **p;
  if (quote != '\'' && quote != '"')
    return FALSE;
  const char *start = ++*p, *end = strchr (start, quote);
  if (end == NULL || (gsize) (end - start) >= size)
    return FALSE;
  memcpy (to, start, (gsize) (end - start));
  to[end - start] = '\0';
  *p = end + 1;
  return TRUE;
}

static gboolean
parse_shape (const char **p, Header *header)
{
  skip_space (p);
  if (**p != '(')
    return FALSE;
  (*p)++;
  for (;;)
    {
      skip_space (p);
      if (**p == ')')
        break;
      if (!g_ascii_isdigit (**p))
        return FALSE;
      char *end;
      errno = 0;
      guint64 size = g_ascii_strtoull (*p, &end, 10);
      if (errno != 0 || size > G_MAXINT64)
        return FALSE;
      /* Python 2 wrote long integers as 3L. */
      if (*end == 'L')
        end++;
      *p = end;
      if (header->rank < WEFT_MAX_RANK)
        header->shape[header->rank] = (gint64) size;
      header->rank++;
      skip_space (p);
      if (**p == ',')
        (*p)++;
      else if (**p != ')')
        return FALSE;
    }
  (*p)++;
  return TRUE;
}

static gboolean
parse_entry (const char **p, Header *header)
{
  char key[32];
  if (!parse_string (p, key, sizeof key))
    return FALSE;
  skip_space (p);
  if (**p != ':')
    return FALSE;
  (*p)++;
  skip_space (p);
  if (strcmp (key, "descr") == 0)
    {
      if (header->has_descr)
        return FALSE;
      header->has_descr = TRUE;
      if (**p == '[')
        {
          /* A list of fields: a structured array, refused by name later. */
          g_strlcpy (header->descr, "structured", sizeof header->descr);
          const char *end = strrchr (*p, ']');
          if (end == NULL)
            return FALSE;
          *p = end + 1;
          return TRUE;
        }
      return parse_string (p, header->descr, sizeof header->descr);
    }
  if (strcmp (key, "fortran_order") == 0)
    {
      if (header->has_order)
        return FALSE;
      header->has_order = TRUE;
      header->fortran = g_str_has_prefix (*p, "True");
      if (!header->fortran && !g_str_has_prefix (*p, "False"))
        return FALSE;
      *p += header->fortran ? 4 : 5;
      return TRUE;
    }
  if (strcmp (key, "shape") == 0)
    {
      if (header->has_shape)
        return FALSE;
      header->has_shape = TRUE;
      return parse_shape (p, header);
    }
  return FALSE;
}

static gboolean
parse_header (const char *text, Header *header)
{
  const char *p = text;
  skip_space (&p);
  if (*p++ != '{')
    return FALSE;
  for (;;)
    {
      skip_space (&p);
      if (*p == '}')
        break;
      if (!parse_entry (&p, header))
        return FALSE;
      skip_space (&p);
      if (*p == ',')
        p++;
      else if (*p != '}')
        return FALSE;
    }
  return header->has_descr && header->has_order && header->has_shape;
}

static gboolean
type_from_descr (const char *descr, WeftType *type)
{
  static const struct
  {
    const char *name;
    WeftType type;
  } known[] = { { "f4", WEFT_F32 }, { "f2", WEFT_F16 }, { "f8", WEFT_F64 }, { "i4", WEFT_I32 }, { "i8", WEFT_I64 }, { "u1", WEFT_U8 } };
  if (descr[0] == '\0' || strchr ("<|=", descr[0]) == NULL)
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    if (strcmp (descr + 1, known[i].name) == 0)
      {
        *type = known[i].type;
        return TRUE;
      }
  return FALSE;
}

static const char *
descr_of_type (WeftType type)
{
  switch (type)
    {
    case WEFT_F32:
      return "<f4";
    case WEFT_F64:
      return "<f8";
    case WEFT_F16:
      return "<f2";
    case WEFT_I64:
      return "<i8";
    case WEFT_I32:
      return "<i4";
    case WEFT_U8:
      return "|u1";
    default:
      return NULL;
    }
}

/* Turns the dictionary into the tensor's type and shape, refusing what cannot be read by rows. */
static gboolean
accept_header (WeftNpy *npy, const Header *header, GError **error)
{
  WeftTensor *tensor = &npy->tensor;
  g_autofree char *descr = g_strescape (header->descr, NULL);
  if (header->descr[0] == '>')
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
                 "%s: elements are big-endian (\"%s\"), expected little-endian: save it again with "
                 "numpy.save (path, array.astype (\"<%s\"))",
                 npy->path, descr, descr + 1);
  else if (strchr (header->descr, 'O') != NULL)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
                 "%s: holds Python objects (\"%s\"), expected numbers: save one dense array; for "
                 "ragged regions, pad them and write the counts to *_counts.npy",
                 npy->path, descr);
  else if (!type_from_descr (header->descr, &tensor->type))
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
                 "%s: element type \"%s\" cannot be read, expected float16, float32, float64, "
                 "int32, int64 or uint8: convert it with array.astype ()",
                 npy->path, descr);
  else if (header->rank > WEFT_MAX_RANK)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: %u dimensions, expected at most %d: reshape the array", npy->path, header->rank,
                 WEFT_MAX_RANK);
  else if (header->fortran && header->rank > 1)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
                 "%s: stored in Fortran order (first index fastest), expected C order: save it "
                 "again with numpy.save (path, numpy.ascontiguousarray (array))",
                 npy->path);
  else
    {
      tensor->rank = header->rank;
      memcpy (tensor->shape, header->shape, header->rank * sizeof (gint64));
      return TRUE;
    }
  return FALSE;
}

/* Bytes of the array and of one row of it; FALSE if any product of sizes overflows, also in an array without elements. */
static gboolean
array_bytes (const WeftTensor *tensor, gsize *row, gsize *total)
{
  gsize most = weft_type_size (tensor->type);
  *row = *total = most;
  for (guint i = 0; i < tensor->rank; i++)
    {
      if (!g_size_checked_mul (&most, most, (gsize) MAX (tensor->shape[i], 1)) || most > G_MAXINT64 / 2)
        return FALSE;
      *total *= (gsize) tensor->shape[i];
      *row *= i > 0 ? (gsize) tensor->shape[i] : 1;
    }
  return TRUE;
}

static gboolean
read_header (WeftNpy *npy, GError **error)
{
  struct stat status;
  if (fstat (npy->file, &status) < 0)
    return fail_system (error, npy->path, "cannot stat");
  if (!S_ISREG (status.st_mode))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: not a regular file, expected a .npy array", npy->path);
      return FALSE;
    }
  guint8 start[12] = { 0 };
  gsize prefix = status.st_size < 12 ? (gsize) status.st_size : 12;
  if (!read_fully (npy->file, start, prefix, 0, npy->path, error))
    return FALSE;
  if (prefix < 10 || memcmp (start, "\x93NUMPY", 6) != 0)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
                   "%s: does not begin as a .npy file does (\"\\x93NUMPY\"): save the array with "
                   "numpy.save ()",
                   npy->path);
      return FALSE;
    }
  if (start[6] < 1 || start[6] > 3)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: .npy version %u.%u, expected 1.0 to 3.0", npy->path, start[6], start[7]);
      return FALSE;
    }
  gsize length_bytes = start[6] == 1 ? 2 : 4;
  gsize length = start[8] | (gsize) start[9] << 8;
  if (length_bytes == 4)
    length |= (gsize) start[10] << 16 | (gsize) start[11] << 24;
  npy->data_start = (goffset) (8 + length_bytes + length);
  if (length > MAXIMUM_HEADER || npy->data_start > status.st_size)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
                   "%s: its header claims %" G_GSIZE_FORMAT " bytes, the file has %" G_GINT64_FORMAT ": it is truncated or damaged",
                   npy->path, length, (gint64) status.st_size);
      return FALSE;
    }
  g_autofree char *text = g_malloc (length + 1);
  if (!read_fully (npy->file, text, length, (goffset) (8 + length_bytes), npy->path, error))
    return FALSE;
  text[length] = '\0';
  Header header = { 0 };
  if (!parse_header (text, &header))
    {
      g_autofree char *shown = g_strndup (text, 80);
      g_autofree char *escaped = g_strescape (g_strchomp (shown), NULL);
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
                   "%s: header \"%s\" is not a dictionary of descr, fortran_order and shape: the file "
                   "is damaged",
                   npy->path, escaped);
      return FALSE;
    }
  if (!accept_header (npy, &header, error))
    return FALSE;
  gsize total;
  if (!array_bytes (&npy->tensor, &npy->row_bytes, &total) || npy->data_start + (goffset) total != status.st_size)
    {
      g_autofree char *shape = weft_tensor_describe (&npy->tensor);
      gint64 found = (gint64) status.st_size - npy->data_start;
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
                   "%s: header declares %s, but the file has %" G_GINT64_FORMAT " bytes of data, %s: "
                   "copy or extract it again",
                   npy->path, shape, found,
                   !array_bytes (&npy->tensor, &npy->row_bytes, &total) || found < (gint64) total ? "too few" : "too many");
      return FALSE;
    }
  return TRUE;
}

WeftNpy *
weft_npy_open (const char *path, GError **error)
{
  int file = g_open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
  if (file < 0)
    {
      fail_system (error, path, "cannot open");
      return NULL;
    }
  g_autoptr (WeftNpy) npy = g_new0 (WeftNpy, 1);
  npy->path = g_strdup (path);
  npy->file = file;
  return read_header (npy, error) ? g_steal_pointer (&npy) : NULL;
}

void
weft_npy_close (WeftNpy *npy)
{
  if (npy == NULL)
    return;
  close (npy->file);
  g_free (npy->path);
  g_free (npy);
}

const WeftTensor *
weft_npy_tensor (const WeftNpy *npy)
{
  return &npy->tensor;
}

gboolean
weft_npy_read (const WeftNpy *npy, gint64 first, gint64 n, gpointer data, GError **error)
{
  gint64 rows = npy->tensor.rank > 0 ? npy->tensor.shape[0] : 1;
  g_assert (first >= 0 && n >= 0 && first <= rows - n);
  return read_fully (npy->file, data, (gsize) n * npy->row_bytes, npy->data_start + (goffset) first * (goffset) npy->row_bytes, npy->path,
                     error);
}

float *
weft_npy_read_f32 (const char *path, WeftTensor *tensor, GError **error)
{
  g_autoptr (WeftNpy) npy = weft_npy_open (path, error);
  if (npy == NULL)
    return NULL;
  *tensor = npy->tensor;
  gint64 n = weft_tensor_elements (tensor), rows = tensor->rank > 0 ? tensor->shape[0] : 1;
  tensor->type = WEFT_F32;
  /* At least one element, so that an empty array is not mistaken for an error. */
  g_autofree float *values = g_try_new (float, MAX (n, 1));
  if (values == NULL)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_SYSTEM, "%s: no memory for its %" G_GINT64_FORMAT " elements", path, n);
      return NULL;
    }
  /* Rows of an array without elements may be of any size. */
  if (n > 0 && npy->tensor.type == WEFT_F32)
    {
      if (!weft_npy_read (npy, 0, rows, values, error))
        return NULL;
    }
  else if (n > 0)
    {
      /* A bounded buffer: a whole second copy of a large array would not fit. */
      gint64 columns = n / MAX (rows, 1), chunk = CLAMP ((1 << 20) / MAX (columns, 1), 1, MAX (rows, 1));
      g_autofree char *buffer = g_malloc ((gsize) MAX (chunk, 1) * MAX (npy->row_bytes, 1));
      for (gint64 row = 0; row < rows; row += chunk)
        {
          gint64 part = MIN (chunk, rows - row);
          if (!weft_npy_read (npy, row, part, buffer, error))
            return NULL;
          weft_convert_to_f32 (npy->tensor.type, buffer, part * columns, values + row * columns);
        }
    }
  tensor->data = values;
  return g_steal_pointer (&values);
}

GString *
weft_npy_header (const WeftTensor *tensor, gsize least)
{
  GString *text = g_string_new (NULL);
  g_string_append_printf (text, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr_of_type (tensor->type));
  for (guint i = 0; i < tensor->rank; i++)
    g_string_append_printf (text, i + 1 < tensor->rank ? "%" G_GINT64_FORMAT ", " : "%" G_GINT64_FORMAT, tensor->shape[i]);
  g_string_append (text, tensor->rank == 1 ? ",), }" : "), }");
  /* Data starts at a multiple of 64 bytes, so that it can be mapped. */
  while ((10 + text->len + 1) % 64 != 0 || 10 + text->len + 1 < least)
    g_string_append_c (text, ' ');
  g_string_append_c (text, '\n');
  char prefix[10] = "\x93NUMPY\x01";
  prefix[8] = (char) (text->len & 0xff);
  prefix[9] = (char) (text->len >> 8);
  g_string_prepend_len (text, prefix, sizeof prefix);
  return text;
}

gboolean
weft_npy_write (const char *path, const WeftTensor *tensor, GError **error)
{
  if (descr_of_type (tensor->type) == NULL)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "%s: .npy files have no element type %s", path, weft_type_name (tensor->type));
      return FALSE;
    }
  WeftAside aside;
  if (!weft_aside_open (&aside, path, error))
    return FALSE;
  g_autoptr (GString) header = weft_npy_header (tensor, 0);
  gboolean ok = weft_aside_write (&aside, header->str, header->len, error)
                && weft_aside_write (&aside, tensor->data, weft_tensor_bytes (tensor), error) && weft_aside_commit (&aside, error);
  weft_aside_abandon (&aside);
  return ok;
}
