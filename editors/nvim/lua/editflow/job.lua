-- Jobs, one a buffer: asked for, followed step by step, and kept while their proposal is reviewed.
local hunks = require('editflow.hunks')
local server = require('editflow.server')
local M = {}

local jobs = {} -- by buffer

function M.of(buf)
  return jobs[buf]
end

local function keys(buf, set)
  for key, name in pairs(require('editflow').options.keys) do
    if name and set then
      vim.keymap.set('n', key, '<Cmd>EditFlow' .. name .. '<CR>', { buffer = buf, nowait = true })
    elseif name then
      pcall(vim.keymap.del, 'n', key, { buffer = buf }) -- the person may have removed it
    end
  end
end

-- Takes the job and everything that it shows away; what became of its hunks is told to the server.
local function forget(buf)
  local job = jobs[buf]
  jobs[buf] = nil
  if vim.api.nvim_buf_is_loaded(buf) then
    hunks.erase(buf)
    keys(buf, false)
  end
  if job.done then
    local outcome = { jobId = job.id, accepted = job.accepted, rejected = job.rejected }
    server.notify(buf, '$/editflow/outcome', outcome)
  end
  vim.cmd('redrawstatus')
end

-- Keeps these of the hunks shown; the job is over when none is left to decide.
function M.keep(buf, kept)
  jobs[buf].hunks = kept
  hunks.redraw(buf, kept)
  if #kept == 0 and not jobs[buf].running then
    return forget(buf)
  end
  vim.cmd('redrawstatus')
end

-- A hunk that was typed into is void.
function M.check(buf)
  local job = jobs[buf]
  if not job then
    return
  end
  local kept = vim.tbl_filter(function(hunk) return hunks.untouched(buf, hunk) end, job.hunks)
  if #kept < #job.hunks then
    if not job.running then
      server.say('dropped what was edited by hand')
    end
    M.keep(buf, kept)
  end
end

local function watch(buf, job)
  vim.api.nvim_buf_attach(buf, false, {
    on_lines = function()
      if jobs[buf] ~= job then
        return true
      end
      vim.schedule(function() M.check(buf) end)
    end,
    on_detach = function()
      vim.schedule(function()
        if jobs[buf] == job then
          forget(buf)
        end
      end)
    end,
  })
end

local function settle(buf, job, result)
  if result.textDocument.version == vim.lsp.util.buf_versions[buf] then
    job.hunks = hunks.show(buf, result.hunks, server.encoding(buf))
    return
  end
  -- Typed since: the last step's marks have moved along, and stand for the result where they say the same.
  local said = {}
  for _, hunk in ipairs(result.hunks) do
    said[hunk.id] = hunk.newText:gsub('\r\n?', '\n')
  end
  job.hunks = vim.tbl_filter(function(hunk)
    return said[hunk.id] == hunk.newText and hunks.untouched(buf, hunk)
  end, job.hunks)
end

local function finish(buf, job, err, result)
  if jobs[buf] ~= job then
    return -- cancelled, or a newer job took its place
  end
  if err or result.status ~= 'done' then
    forget(buf)
    local unchanged = result and result.status == 'unchanged' and 'nothing to fix'
    return server.say(unchanged or (err and err.message) or result.reason or result.status)
  end
  settle(buf, job, result)
  job.running, job.done = false, true
  M.keep(buf, job.hunks)
  if #job.hunks == 0 then
    return server.say('the text has changed meanwhile: fix it again')
  end
  local learned = (result.model or ''):match('%+(.*)')
  local by = learned and ' with ' .. learned or ''
  local count = ('%d hunk%s%s'):format(#job.hunks, #job.hunks == 1 and '' or 's', by)
  server.say(count .. ': :EditFlowAccept[!], :EditFlowReject[!]')
end

local function send(buf, job, params)
  local defaults = { textDocument = server.document(buf) }
  local asked = vim.tbl_extend('force', defaults, params, { jobId = job.id, mode = 'preview' })
  server.execute(buf, 'editflow.fix', asked, function(err, result) finish(buf, job, err, result) end)
end

-- Asks for a fix, with the members of FixParams that are given; the newest job of a buffer is the one that counts.
function M.fix(buf, params)
  M.cancel(buf)
  local job = { running = true, step = 0, seq = -1, hunks = {}, accepted = {}, rejected = {} }
  job.id = ('nvim-%d-%d'):format(vim.fn.getpid(), vim.loop.hrtime())
  jobs[buf] = job
  keys(buf, true)
  watch(buf, job)
  local started = server.when_ready(buf, function()
    if jobs[buf] == job then
      send(buf, job, params)
    end
  end)
  if not started then
    forget(buf)
  end
end

-- Lines from 1, both ends included; without them the function around the cursor, or the file.
function M.fix_lines(lines, scope)
  local buf = vim.api.nvim_get_current_buf()
  if lines then
    local range = { start = { line = lines[1] - 1, character = 0 }, ['end'] = { line = lines[2], character = 0 } }
    return M.fix(buf, { scope = 'selection', range = range })
  elseif scope == 'file' then
    return M.fix(buf, { scope = 'file' })
  elseif scope ~= '' and scope ~= 'function' then
    return server.say('a scope is "function" or "file"', vim.log.levels.ERROR)
  end
  local here = { line = vim.fn.line('.') - 1, character = (vim.fn.getline('.'):find('%S') or 1) - 1 }
  M.fix(buf, { scope = 'function', range = { start = here, ['end'] = here } })
end

function M.step(step)
  for buf, job in pairs(jobs) do
    local current = step.textDocument.version == vim.lsp.util.buf_versions[buf]
    if job.id == step.jobId and job.running and step.seq > job.seq and current then
      job.seq, job.step = step.seq, step.step
      job.hunks = hunks.show(buf, step.hunks, server.encoding(buf))
      vim.cmd('redrawstatus')
    end
  end
end

-- Stops the job of the buffer, or rejects what is left of its proposal.
function M.cancel(buf)
  buf = buf or vim.api.nvim_get_current_buf()
  local job = jobs[buf]
  if not job then
    return
  end
  for _, hunk in ipairs(job.hunks) do
    table.insert(job.rejected, hunk.id)
  end
  forget(buf)
  if job.running then
    server.execute(buf, 'editflow.cancel', { jobId = job.id }, function() end)
  end
end

-- The server has stopped: what it was working on is lost, what is under review needs it no more.
function M.lost(client)
  for buf, job in pairs(jobs) do
    if job.running and server.serves(client, buf) then
      forget(buf)
      server.say('the server has stopped; it is started again for the next fix', vim.log.levels.WARN)
    end
  end
end

function M.suspicion(show)
  local buf = vim.api.nvim_get_current_buf()
  server.when_ready(buf, function()
    local asked = { textDocument = server.document(buf), show = show }
    server.execute(buf, 'editflow.suspicion', asked, function(err, result)
      if err then
        server.say(err.message, vim.log.levels.ERROR)
      elseif show then
        server.say(('an edit seems due at %d place%s'):format(#result.spans, #result.spans == 1 and '' or 's'))
      end
    end)
  end)
end

return M
