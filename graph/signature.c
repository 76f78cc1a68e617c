/* Parsing signatures: recursive descent over one short line.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "signature.h"

#include <string.h>

#include <weft/operator.h>

#define MAX_DEPTH 32

typedef struct
{
  const char *text;
  const char *at;
  guint depth;
  GError **error;
} Parser;

static gboolean
fail (Parser *parser, const char *expected)
{
  if (parser->error && !*parser->error)
    g_set_error (parser->error, WEFT_ERROR, WEFT_ERROR_INPUT, "signature \"%s\": expected %s at character %d", parser->text, expected,
                 (int) (parser->at - parser->text) + 1);
  return FALSE;
}

static void
skip_space (Parser *parser)
{
  while (*parser->at == ' ')
    parser->at++;
}

static gboolean
accept_text (Parser *parser, const char *text)
{
  skip_space (parser);
  if (!g_str_has_prefix (parser->at, text))
    return FALSE;
  parser->at += strlen (text);
  return TRUE;
}

static char *
accept_word (Parser *parser)
{
  const char *start = parser->at;

  if (!g_ascii_islower (*start))
    return NULL;
  while (g_ascii_islower (*parser->at) || g_ascii_isdigit (*parser->at) || *parser->at == '_')
    parser->at++;
  if (*parser->at == '\'')
    parser->at++;
  return g_strndup (start, parser->at - start);
}

void
weft_size_free (WeftSize *size)
{
  if (!size)
    return;
  weft_size_free (size->left);
  weft_size_free (size->right);
  g_free (size->name);
  g_free (size);
}

static WeftSize *parse_size (Parser *parser);

static WeftSize *
parse_term (Parser *parser)
{
  WeftSize *size;

  skip_space (parser);
  if (accept_text (parser, "("))
    {
      if (parser->depth++ >= MAX_DEPTH)
        {
          fail (parser, "fewer parentheses");
          return NULL;
        }
      size = parse_size (parser);
      parser->depth--;
      if (size && !accept_text (parser, ")"))
        {
          fail (parser, "\")\"");
          g_clear_pointer (&size, weft_size_free);
        }
      return size;
    }
  size = g_new0 (WeftSize, 1);
  if (g_ascii_isdigit (*parser->at))
    {
      char *end;
      size->kind = WEFT_SIZE_INTEGER;
      size->integer = g_ascii_strtoll (parser->at, &end, 10);
      parser->at = end;
      if (size->integer <= G_MAXINT32)
        return size;
      fail (parser, "a size below 2^31");
    }
  else
    {
      size->kind = *parser->at == '$' ? WEFT_SIZE_ATTRIBUTE : WEFT_SIZE_LETTER;
      parser->at += size->kind == WEFT_SIZE_ATTRIBUTE;
      size->name = accept_word (parser);
      if (size->name)
        return size;
      fail (parser, "a number, a letter or $attribute");
    }
  weft_size_free (size);
  return NULL;
}

static WeftSize *
parse_size (Parser *parser)
{
  WeftSize *left = parse_term (parser);

  while (left)
    {
      skip_space (parser);
      if (*parser->at == '\0' || !strchr ("+-*/", *parser->at))
        break;
      if (parser->depth++ >= MAX_DEPTH)
        {
          fail (parser, "a shorter expression");
          g_clear_pointer (&left, weft_size_free);
          break;
        }
      WeftSize *operation = g_new0 (WeftSize, 1);
      operation->kind = WEFT_SIZE_OPERATION;
      operation->operation = *parser->at++;
      operation->left = left;
      operation->right = parse_term (parser);
      left = operation;
      if (!operation->right)
        g_clear_pointer (&left, weft_size_free);
    }
  return left;
}

static gboolean
parse_bound (Parser *parser, const WeftSize *of, WeftSize **bound)
{
  if (!accept_text (parser, "<="))
    return TRUE;
  if (of->kind != WEFT_SIZE_LETTER)
    return fail (parser, "\",\" or \"]\" (only a letter takes a bound)");
  *bound = parse_size (parser);
  return *bound != NULL;
}

static gboolean
parse_dim (Parser *parser, gboolean first, WeftDimPattern *dim)
{
  if (accept_text (parser, "..."))
    {
      dim->kind = WEFT_DIM_ELLIPSIS;
      return TRUE;
    }
  dim->kind = WEFT_DIM_SIZE;
  dim->size = parse_size (parser);
  if (!dim->size || !parse_bound (parser, dim->size, &dim->bound))
    return FALSE;
  if (!accept_text (parser, ":"))
    return TRUE;
  if (!first)
    return fail (parser, "\",\" or \"]\" (only the first dimension can be ragged)");
  dim->kind = WEFT_DIM_RAGGED;
  dim->samples = g_steal_pointer (&dim->size);
  dim->samples_bound = g_steal_pointer (&dim->bound);
  skip_space (parser);
  dim->size = parse_term (parser);
  if (!dim->size)
    return FALSE;
  if (dim->size->kind != WEFT_SIZE_LETTER)
    return fail (parser, "a letter after \":\"");
  return parse_bound (parser, dim->size, &dim->bound);
}

static gboolean
parse_signature (Parser *parser, WeftSignature *signature)
{
  gboolean ellipsis = FALSE;
  g_autofree char *type = NULL;

  skip_space (parser);
  type = accept_word (parser);
  if (!type || !weft_type_from_name (type, &signature->type))
    return fail (parser, "a type (f32, f64, i32, i64, u8)");
  if (!accept_text (parser, "["))
    return fail (parser, "\"[\"");
  if (!accept_text (parser, "]"))
    for (;;)
      {
        if (signature->n == G_N_ELEMENTS (signature->dims))
          return fail (parser, "\"]\" (too many dimensions)");
        WeftDimPattern *dim = &signature->dims[signature->n++];
        if (!parse_dim (parser, signature->n == 1, dim))
          return FALSE;
        if (dim->kind == WEFT_DIM_ELLIPSIS && ellipsis)
          return fail (parser, "no second \"...\"");
        ellipsis |= dim->kind == WEFT_DIM_ELLIPSIS;
        if (accept_text (parser, "]"))
          break;
        if (!accept_text (parser, ","))
          return fail (parser, "\",\" or \"]\"");
      }
  if (accept_text (parser, "<"))
    {
      signature->below = parse_size (parser);
      if (!signature->below)
        return FALSE;
    }
  skip_space (parser);
  return *parser->at == '\0' || fail (parser, "the end");
}

WeftSignature *
weft_signature_parse (const char *text, GError **error)
{
  g_autoptr (WeftSignature) signature = g_new0 (WeftSignature, 1);
  Parser parser = { .text = text, .at = text, .error = error };

  return parse_signature (&parser, signature) ? g_steal_pointer (&signature) : NULL;
}

void
weft_signature_free (WeftSignature *signature)
{
  if (!signature)
    return;
  for (guint i = 0; i < signature->n; i++)
    {
      weft_size_free (signature->dims[i].size);
      weft_size_free (signature->dims[i].bound);
      weft_size_free (signature->dims[i].samples);
      weft_size_free (signature->dims[i].samples_bound);
    }
  weft_size_free (signature->below);
  g_free (signature);
}

WeftSize *
weft_size_parse (const char *text, GError **error)
{
  Parser parser = { .text = text, .at = text, .error = error };
  g_autoptr (WeftSize) size = parse_size (&parser);

  if (!size)
    return NULL;
  skip_space (&parser);
  if (*parser.at != '\0')
    {
      fail (&parser, "the end");
      return NULL;
    }
  return g_steal_pointer (&size);
}
