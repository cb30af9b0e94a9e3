-- What a person's configuration calls: setup and the text for a status line.  See :help editflow.
local M = {}

M.options = {
  cmd = { 'editflow-lsp' },
  filetypes = { 'python' },
  root_markers = { 'editflow.toml', 'pyproject.toml', '.git' },
  settings = {},
  keys = { ['<Esc>'] = 'Cancel' }, -- normal mode, only while a proposal is shown
}

local function attach(buf)
  if vim.bo[buf].buftype == '' then
    require('editflow.server').attach(buf)
  end
end

function M.setup(options)
  M.options = vim.tbl_deep_extend('force', M.options, options or {})
  local group = vim.api.nvim_create_augroup('editflow', {})
  vim.api.nvim_create_autocmd('FileType', {
    group = group,
    pattern = M.options.filetypes,
    callback = function(event) attach(event.buf) end,
  })
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buf) and vim.tbl_contains(M.options.filetypes, vim.bo[buf].filetype) then
      attach(buf)
    end
  end
end

-- "pass 3", "2 hunks", or how the engine is and what it has learned; empty where there is nothing to say.
function M.status()
  local job = require('editflow.job').of(vim.api.nvim_get_current_buf())
  if job and job.running then
    return 'EditFlow: pass ' .. job.step
  elseif job then
    return ('EditFlow: %d hunk%s'):format(#job.hunks, #job.hunks == 1 and '' or 's')
  end
  local engine = require('editflow.server').status
  local learned = engine.adapter and ' with ' .. engine.adapter or ''
  return engine.kind and 'EditFlow: ' .. engine.kind .. learned or ''
end

return M
