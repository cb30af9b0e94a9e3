-- A person's decisions about the proposal that is shown in the current buffer.
local hunks = require('editflow.hunks')
local jobs = require('editflow.job')
local say = require('editflow.server').say
local M = {}

local function buffer()
  return vim.api.nvim_get_current_buf()
end

-- The index of the hunk under the cursor: on one of its lines, the nearest of several by column.
local function under_cursor(buf, list)
  local row, column = vim.fn.line('.') - 1, vim.fn.col('.') - 1
  local best, distance
  for index, hunk in ipairs(list) do
    local first, from, last, to = hunks.place(buf, hunk)
    if first <= row and row <= last then
      local left = row == first and from - column or 0
      local right = row == last and column - to or 0
      local away = math.max(left, right, 0)
      if not best or away < distance then
        best, distance = index, away
      end
    end
  end
  return best
end

-- Moves the hunk under the cursor, or every one, from the proposal to the list of this name.
local function decide(name, all)
  local buf = buffer()
  jobs.check(buf)
  local job = jobs.of(buf)
  if not job or job.running then
    return say('there is no proposal here to decide on')
  end
  local index = under_cursor(buf, job.hunks)
  if not all and not index then
    return say('no hunk on this line: :EditFlowNext goes to one')
  end
  local chosen, rest = {}, {}
  for each, hunk in ipairs(job.hunks) do
    table.insert((all or each == index) and chosen or rest, hunk)
  end
  for _, hunk in ipairs(chosen) do
    table.insert(job[name], hunk.id)
  end
  if name == 'accepted' then
    hunks.apply(buf, chosen)
  end
  jobs.keep(buf, rest)
end

function M.accept(all)
  decide('accepted', all)
end

function M.reject(all)
  decide('rejected', all)
end

-- Where the cursor stands on a hunk: line from 1, column from 0, never behind the end of the line.
local function stop(buf, hunk)
  local row, column = hunks.place(buf, hunk)
  row = math.min(row + 1, vim.api.nvim_buf_line_count(buf))
  return { row, math.min(column, math.max(#vim.fn.getline(row) - 1, 0)) }
end

-- Moves the cursor to the next hunk (1) or to the one before (-1), around the end of the buffer.
function M.jump(direction)
  local job = jobs.of(buffer())
  if not job or #job.hunks == 0 then
    return say('there is no hunk to go to')
  end
  local here = vim.api.nvim_win_get_cursor(0)
  local stops = vim.tbl_map(function(hunk) return stop(buffer(), hunk) end, job.hunks)
  local target = direction > 0 and stops[1] or stops[#stops]
  for index = direction > 0 and #stops or 1, direction > 0 and 1 or #stops, -direction do
    local ahead = stops[index][1] == here[1] and stops[index][2] - here[2] or stops[index][1] - here[1]
    if ahead * direction > 0 then
      target = stops[index]
    end
  end
  vim.cmd("normal! m'")
  vim.api.nvim_win_set_cursor(0, target)
end

return M
