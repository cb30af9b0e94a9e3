-- Hunks on the screen.  An extmark carries the range of each while text moves around it; its lines are remembered, so
-- that a hunk whose lines were touched is known to be void.
local api = vim.api
local M = {}

local marks = api.nvim_create_namespace('editflow') -- the ranges, highlighted
local paint = api.nvim_create_namespace('editflow.new') -- the new texts
local inline = vim.fn.has('nvim-0.10') == 1

local function byte_column(buf, position, encoding)
  local line = api.nvim_buf_get_lines(buf, position.line, position.line + 1, false)[1] or ''
  if encoding == 'utf-8' then
    return math.min(position.character, #line)
  end
  local within, byte = pcall(vim.str_byteindex, line, position.character, encoding == 'utf-16')
  return within and byte or #line
end

-- Where the hunk is now: start row, start column, end row, end column; rows from 0, columns in bytes.
function M.place(buf, hunk)
  local mark = api.nvim_buf_get_extmark_by_id(buf, marks, hunk.mark, { details = true })
  return mark[1], mark[2], mark[3].end_row, mark[3].end_col
end

local function lines(buf, hunk)
  local first, _, last = M.place(buf, hunk)
  return api.nvim_buf_get_lines(buf, first, last + 1, false)
end

-- The lines as they will be, as far as the new text reaches.
local function result(buf, hunk)
  local _, from, _, to = M.place(buf, hunk)
  local old = lines(buf, hunk)
  local text = (old[1] or ''):sub(1, from) .. hunk.newText
  text = text:sub(-1) == '\n' and text:sub(1, -2) or text .. (old[#old] or ''):sub(to + 1)
  return vim.split(text, '\n', { plain = true })
end

local function paint_new(buf, hunk)
  local first, from, row, column = M.place(buf, hunk)
  local group = hunk.state == 'draft' and 'EditFlowDraft' or 'EditFlowNew'
  local new = {}
  if inline and not hunk.newText:find('\n') then
    new.virt_text, new.virt_text_pos = { { hunk.newText, group } }, 'inline'
  elseif hunk.newText ~= '' then
    new.virt_lines = vim.tbl_map(function(line) return { { line, group } } end, result(buf, hunk))
  end
  api.nvim_buf_set_extmark(buf, paint, row, column, new)
  api.nvim_buf_set_extmark(buf, paint, first, from, { end_row = row, end_col = column, hl_group = 'EditFlowStruck' })
end

local function set(buf, hunk, encoding)
  local shown = { id = hunk.id, newText = hunk.newText:gsub('\r\n?', '\n'), state = hunk.state }
  local first, last = hunk.range.start, hunk.range['end']
  shown.mark = api.nvim_buf_set_extmark(buf, marks, first.line, byte_column(buf, first, encoding), {
    end_row = last.line,
    end_col = byte_column(buf, last, encoding),
    end_right_gravity = vim.deep_equal(first, last), -- what a neighbour writes at its end stays outside
    hl_group = 'EditFlowOld',
  })
  shown.lines = lines(buf, shown)
  paint_new(buf, shown)
  return shown
end

-- Puts the hunks of a proposal for the buffer's present version in place of those shown before.
function M.show(buf, hunks, encoding)
  M.erase(buf)
  return vim.tbl_map(function(hunk) return set(buf, hunk, encoding) end, hunks)
end

function M.erase(buf)
  api.nvim_buf_clear_namespace(buf, marks, 0, -1)
  api.nvim_buf_clear_namespace(buf, paint, 0, -1)
end

-- Draws anew those that remain, after others of them were decided.
function M.redraw(buf, hunks)
  local kept = {}
  for _, hunk in ipairs(hunks) do
    kept[hunk.mark] = true
    hunk.lines = lines(buf, hunk)
  end
  for _, mark in ipairs(api.nvim_buf_get_extmarks(buf, marks, 0, -1, {})) do
    if not kept[mark[1]] then
      api.nvim_buf_del_extmark(buf, marks, mark[1])
    end
  end
  api.nvim_buf_clear_namespace(buf, paint, 0, -1)
  vim.tbl_map(function(hunk) paint_new(buf, hunk) end, hunks)
end

function M.untouched(buf, hunk)
  return vim.deep_equal(hunk.lines, lines(buf, hunk))
end

-- Writes the new texts of the hunks into the buffer: one undo step.
function M.apply(buf, hunks)
  local edits = vim.tbl_map(function(hunk)
    local first, from, last, to = M.place(buf, hunk)
    local range = { start = { line = first, character = from }, ['end'] = { line = last, character = to } }
    return { range = range, newText = hunk.newText }
  end, hunks)
  vim.lsp.util.apply_text_edits(edits, buf, 'utf-8') -- whose characters are bytes
end

return M
