-- Runs one scenario in Neovim, without a screen, and writes what was seen as JSON.
-- Environment: EDITFLOW_SCENARIO, EDITFLOW_FILE, EDITFLOW_SERVER (a JSON list), EDITFLOW_PLUGIN (a folder), EDITFLOW_REPORT.
local buf, report = nil, { messages = {} }
local marks = vim.api.nvim_create_namespace('editflow')

local function text()
  return table.concat(vim.api.nvim_buf_get_lines(buf, 0, -1, false), '\n') .. '\n'
end

local function wait(what, condition)
  assert(vim.wait(60000, condition, 5), 'waited in vain for ' .. what .. ': ' .. vim.inspect(report))
end

-- Keys as typed, each call one undo step.
local function type_keys(keys)
  vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes(keys, true, false, true), 'mtx', false)
end

local function open()
  vim.cmd('filetype on')
  vim.cmd('edit ' .. vim.env.EDITFLOW_FILE)
  buf = vim.api.nvim_get_current_buf()
end

local function server()
  return vim.fn.json_decode(vim.env.EDITFLOW_SERVER)
end

local function use_plugin()
  vim.opt.runtimepath:prepend(vim.env.EDITFLOW_PLUGIN)
  vim.cmd('runtime plugin/editflow.lua')
  vim.notify = function(message) table.insert(report.messages, message) end
  require('editflow').setup({ cmd = server() })
  open()
end

local function job()
  return require('editflow.job').of(buf)
end

local function hunks()
  local shown = {}
  for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(buf, marks, 0, -1, {})) do
    for _, hunk in ipairs(job() and job().hunks or {}) do
      if hunk.mark == mark[1] then
        table.insert(shown, { line = mark[2] + 1, new = hunk.newText })
      end
    end
  end
  return shown
end

local function drawn()
  local new = vim.api.nvim_create_namespace('editflow.new')
  return #vim.api.nvim_buf_get_extmarks(buf, marks, 0, -1, {}) + #vim.api.nvim_buf_get_extmarks(buf, new, 0, -1, {})
end

local function finished()
  return not job() or not job().running
end

local function first_step()
  wait('a step', function() return job().seq >= 0 end)
end

local scenarios = {}

function scenarios.review()
  use_plugin()
  vim.cmd('EditFlow file')
  report.states, report.untouched = {}, true
  local before, last = text(), nil
  wait('the result', function()
    local now = vim.fn.json_encode(hunks())
    if now ~= last and #hunks() > 0 then
      table.insert(report.states, hunks())
      last = now
    end
    report.untouched = report.untouched and text() == before
    return finished()
  end)
  report.status = require('editflow').status()
  report.proposal = hunks()
  type_keys('gg:EditFlowNext<CR>:EditFlowAccept<CR>')
  report.accepted_one = text()
  type_keys(':EditFlowNext<CR>:EditFlowReject<CR>')
  report.after_reject, report.left = text(), hunks()
  type_keys(':EditFlowAccept!<CR>')
  report.accepted_all, report.drawn = text(), drawn()
  type_keys('u')
  report.undone_once = text()
  type_keys('u')
  report.undone_twice = text()
end

function scenarios.accept_all()
  use_plugin()
  vim.cmd('EditFlow file')
  wait('the result', finished)
  report.proposal = hunks()
  vim.cmd('EditFlowAccept!')
  report.text = text()
end

function scenarios.cancel()
  use_plugin()
  vim.cmd('EditFlow file')
  first_step()
  type_keys('<Esc>')
  report.gone = job() == nil and drawn() == 0
  vim.wait(1000, function() return false end)
  report.text, report.key = text(), vim.fn.maparg('<Esc>', 'n')
  vim.cmd('EditFlow file')
  wait('the second fix', finished)
  report.again = hunks()
end

function scenarios.type_outside()
  use_plugin()
  vim.cmd('20 | EditFlow function')
  first_step()
  type_keys('ggO# typed above<Esc>Go# typed below<Esc>')
  wait('the result', finished)
  report.proposal = hunks()
  type_keys('ggO# typed in review<Esc>:EditFlowAccept!<CR>')
  report.text = text()
end

function scenarios.type_inside()
  use_plugin()
  vim.cmd('EditFlow file')
  first_step()
  type_keys('20GA  # typed<Esc>')
  wait('the end', finished)
  report.left, report.text = hunks(), text()
end

function scenarios.type_into_hunk()
  use_plugin()
  vim.cmd('EditFlow file')
  wait('the result', finished)
  report.proposal = hunks()
  type_keys('4GA  # typed<Esc>')
  wait('the check', function() return #hunks() < #report.proposal end)
  report.left = hunks()
  type_keys(':EditFlowAccept!<CR>')
  report.text = text()
end

function scenarios.stale()
  use_plugin()
  vim.cmd('EditFlow file')
  wait('the result', finished)
  report.proposal = hunks()
  local here = { line = 0, character = 0 }
  local late = { id = 'h99', range = { start = here, ['end'] = here }, newText = 'late', state = 'draft', confidence = 1 }
  local document = { uri = vim.uri_from_bufnr(buf), version = -1 }
  job().running = true
  require('editflow.job').step({ jobId = job().id, seq = 999, step = 999, textDocument = document, hunks = { late } })
  document.version = vim.lsp.util.buf_versions[buf]
  require('editflow.job').step({ jobId = job().id, seq = 0, step = 0, textDocument = document, hunks = { late } })
  require('editflow.job').step({ jobId = 'another', seq = 999, step = 1, textDocument = document, hunks = { late } })
  report.still = hunks()
  require('editflow.job').fix(buf, { textDocument = { uri = document.uri, version = document.version + 7 } })
  wait('the answer', finished)
  report.text = text()
end

function scenarios.selection()
  use_plugin()
  vim.cmd('4,5EditFlow')
  wait('the result', finished)
  report.proposal = hunks()
end

function scenarios.lost()
  use_plugin()
  vim.cmd('EditFlow file')
  first_step()
  vim.lsp.stop_client(require('editflow.server').attach(buf).id, true)
  wait('the end', function() return not job() end)
  report.drawn, report.text = drawn(), text()
  vim.cmd('EditFlow file')
  wait('the second fix', finished)
  report.again = hunks()
end

function scenarios.missing()
  use_plugin()
  require('editflow').options.cmd = { 'no-such-program' }
  vim.cmd('enew | EditFlow')
  report.key = vim.fn.maparg('<Esc>', 'n')
end

function scenarios.code_action()
  use_plugin()
  wait('the server', function() return vim.lsp.util.buf_versions[buf] end)
  wait('its start', function() return require('editflow.server').attach(buf).initialized end)
  vim.ui.select = function(items, options, choose)
    report.titles = vim.tbl_map(options.format_item, items)
    choose(items[1], 1)
  end
  vim.cmd('4')
  vim.lsp.buf.code_action()
  wait('a job', function() return job() end)
  wait('the result', finished)
  report.proposal, report.text = hunks(), text()
end

function scenarios.suspicion()
  use_plugin()
  vim.cmd('EditFlowSuspicion')
  wait('hints', function() return #vim.diagnostic.get(buf) > 0 end)
  report.hints = vim.tbl_map(function(hint) return { hint.lnum + 1, hint.severity } end, vim.diagnostic.get(buf))
  vim.cmd('EditFlowSuspicion!')
  wait('no hints', function() return #vim.diagnostic.get(buf) == 0 end)
end

-- Without the plugin: a code action is resolved, and its edit applied.
local function stock()
  open()
  local config = { name = 'editflow', cmd = server(), root_dir = vim.fn.fnamemodify(vim.env.EDITFLOW_FILE, ':h') }
  config.handlers = { ['$/editflow/step'] = function() report.custom = true end }
  local id = vim.lsp.start and vim.lsp.start(config) or vim.lsp.start_client(config)
  vim.lsp.buf_attach_client(buf, id)
  wait('the server', function() return vim.lsp.get_client_by_id(id).initialized end)
  return vim.lsp.get_client_by_id(id)
end

local function ask(client, method, params)
  local answer
  vim.lsp.buf_request(buf, method, params, function(err, result) answer = { err = err, result = result } end)
  wait(method, function() return answer end)
  assert(not answer.err, vim.inspect(answer.err))
  return answer.result
end

function scenarios.stock()
  local client = stock()
  local params = {
    textDocument = { uri = vim.uri_from_bufnr(buf) },
    range = { start = { line = 0, character = 0 }, ['end'] = { line = vim.api.nvim_buf_line_count(buf), character = 0 } },
    context = { diagnostics = vim.fn['repeat']({}, 0), only = { 'refactor.rewrite.editflow' } },
  }
  local actions = ask(client, 'textDocument/codeAction', params)
  report.titles = vim.tbl_map(function(action) return action.title end, actions)
  local resolved = ask(client, 'codeAction/resolve', actions[1])
  vim.lsp.util.apply_workspace_edit(resolved.edit, client.offset_encoding)
  report.versioned = resolved.edit.documentChanges[1].textDocument.version
  report.text = text()
end

local function fix_and_apply(client)
  local argument = { textDocument = { uri = vim.uri_from_bufnr(buf), version = vim.lsp.util.buf_versions[buf] }, scope = 'file' }
  report.answer = ask(client, 'workspace/executeCommand', { command = 'editflow.fix', arguments = { argument } })
  report.text = text()
end

function scenarios.stock_apply()
  fix_and_apply(stock())
end

-- The text changes when the server has already asked for its edit: Neovim drops it, and says that it was applied.
function scenarios.stock_stale()
  local apply = vim.lsp.handlers['workspace/applyEdit']
  local client = stock()
  vim.api.nvim_buf_set_lines(buf, -1, -1, false, { '# edited before' }) -- Neovim does not look at version 0
  vim.lsp.handlers['workspace/applyEdit'] = function(...)
    vim.api.nvim_buf_set_lines(buf, 0, 0, false, { '# typed' })
    local answer = apply(...)
    report.claimed = answer.applied
    return answer
  end
  fix_and_apply(client)
end

local ran, why = xpcall(scenarios[vim.env.EDITFLOW_SCENARIO], debug.traceback)
report.failure = not ran and why or nil
vim.fn.writefile({ vim.fn.json_encode(report) }, vim.env.EDITFLOW_REPORT)
vim.cmd('qa!')
