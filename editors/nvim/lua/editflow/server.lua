-- The language server: started once a project, its notifications handed on, its commands run.
local M = { status = {} } -- the last $/editflow/status

local clients = {} -- client id by buffer
local by_root = {} -- client id by project

function M.say(text, level)
  vim.notify('EditFlow: ' .. text, level or vim.log.levels.INFO)
end

local function root_of(buf, markers)
  local home = vim.fn.fnamemodify(vim.api.nvim_buf_get_name(buf), ':p:h')
  local folder, parent = home, nil
  while folder ~= parent do
    for _, marker in ipairs(markers) do
      if vim.loop.fs_stat(folder .. '/' .. marker) then
        return folder
      end
    end
    folder, parent = vim.fn.fnamemodify(folder, ':h'), folder
  end
  return home
end

local function capabilities()
  local all = vim.lsp.protocol.make_client_capabilities()
  all.experimental = { editflow = { version = 1, stepStream = true, status = true, maxHz = 20 } }
  return all
end

local handlers = {
  ['$/editflow/step'] = function(_, step) require('editflow.job').step(step) end,
  ['$/editflow/status'] = function(_, status)
    M.status = status
    vim.cmd('redrawstatus')
  end,
}

local function config(root, options)
  local settings = next(options.settings) and options.settings or vim.empty_dict()
  return {
    name = 'editflow',
    cmd = options.cmd,
    root_dir = root,
    capabilities = capabilities(),
    handlers = handlers,
    init_options = settings,
    settings = { editflow = settings },
    commands = { -- a code action that was chosen
      ['editflow.fix'] = function(command, context)
        require('editflow.job').fix(context.bufnr, command.arguments[1])
      end,
    },
    on_exit = vim.schedule_wrap(function(_, _, id) require('editflow.job').lost(id) end),
  }
end

-- The client of a buffer, started where there is none; nil, with a message, where it cannot be.
function M.attach(buf)
  local client = clients[buf] and vim.lsp.get_client_by_id(clients[buf])
  if client then
    return client
  end
  local options = require('editflow').options
  if vim.fn.executable(options.cmd[1]) == 0 then
    local hint = ' is not found: pip install editflow, or name it in setup{ cmd = ... }'
    return M.say(options.cmd[1] .. hint, vim.log.levels.ERROR)
  end
  local root = root_of(buf, options.root_markers)
  if vim.lsp.start then -- Neovim 0.8
    clients[buf] = vim.lsp.start(config(root, options), { bufnr = buf })
  else
    if not (by_root[root] and vim.lsp.get_client_by_id(by_root[root])) then
      by_root[root] = vim.lsp.start_client(config(root, options))
    end
    clients[buf] = by_root[root]
    vim.lsp.buf_attach_client(buf, clients[buf])
  end
  return clients[buf] and vim.lsp.get_client_by_id(clients[buf])
end

local function call(client, method, ...)
  if vim.fn.has('nvim-0.11') == 1 then
    return client[method](client, ...)
  end
  return client[method](...)
end

local function when_initialized(id, proceed)
  local client = vim.lsp.get_client_by_id(id) -- nil where it has died meanwhile, which on_exit tells
  if client and client.initialized then
    proceed()
  elseif client then
    vim.defer_fn(function() when_initialized(id, proceed) end, 50)
  end
end

-- Calls back when the server has the buffer open; false, with a message, where there is no server to start.
function M.when_ready(buf, proceed)
  if not M.attach(buf) then
    return false
  end
  when_initialized(clients[buf], proceed)
  return true
end

-- Runs a command of the server; done(error, result) is called on the main loop.
function M.execute(buf, command, argument, done)
  local client = vim.lsp.get_client_by_id(clients[buf])
  if client then
    local params = { command = command, arguments = { argument } }
    call(client, 'request', 'workspace/executeCommand', params, function(err, result) done(err, result) end, buf)
  end
end

function M.notify(buf, method, params)
  local client = vim.lsp.get_client_by_id(clients[buf])
  if client then
    call(client, 'notify', method, params)
  end
end

function M.serves(id, buf)
  return clients[buf] == id
end

function M.encoding(buf)
  return vim.lsp.get_client_by_id(clients[buf]).offset_encoding
end

-- The version of the buffer that the server knows, or will know with the next request.
function M.document(buf)
  return { uri = vim.uri_from_bufnr(buf), version = vim.lsp.util.buf_versions[buf] }
end

return M
